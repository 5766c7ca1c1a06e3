// Which of the compiled instruction sets this process uses.
#pragma once

#include <string>
#include <vector>

#include "plan.hpp"

namespace chainrule {

/// The set in use: the strongest that both the build and this CPU have, until `choose` says else.
const InstructionSet &chosen();

/// The sets of this build that a CPU with these features runs, weakest first: for this CPU, what
/// `choose` takes.
std::vector<std::string> runnable(const std::vector<std::string> &features);

/// Use the set of that name; throws std::invalid_argument where build or CPU have not got it.
void choose(const std::string &name);

/// Whether the set in use has products in bfloat16.
inline bool has_mixed() {
    return chosen().mixed != nullptr;
}

/// The kernels in use for a type; mixed: with bfloat16 products, where there are any.
template <typename T> const Kernels<T> &kernels(bool mixed = false);
template <> inline const Kernels<float> &kernels<float>(bool mixed) {
    return mixed && has_mixed() ? *chosen().mixed : *chosen().f32;
}
template <> inline const Kernels<double> &kernels<double>(bool) {
    return *chosen().f64;
}

} // namespace chainrule
