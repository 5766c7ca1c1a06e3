// The choice of the instruction set that this process uses.
#pragma once

#include <string>
#include <vector>

#include "plan.hpp"

namespace chainrule {

/// The set in use: that of the last `choose`, or the strongest one that build and CPU both support.
const InstructionSet &chosen();

/// The sets of this build that run on a CPU with these features, weakest first. For this CPU, they
/// are the names that `choose` accepts.
std::vector<std::string> runnable(const std::vector<std::string> &features);

/// Use a set by name; throws std::invalid_argument if the build or the CPU does not have it.
void choose(const std::string &name);

/// Whether the set in use has products in bfloat16.
inline bool has_mixed() {
    return chosen().mixed != nullptr;
}

/// The kernels in use for a type; mixed: with bfloat16 products, if the set has them.
template <typename T> const Kernels<T> &kernels(bool mixed = false);
template <> inline const Kernels<float> &kernels<float>(bool mixed) {
    return mixed && has_mixed() ? *chosen().mixed : *chosen().f32;
}
template <> inline const Kernels<double> &kernels<double>(bool) {
    return *chosen().f64;
}

} // namespace chainrule
