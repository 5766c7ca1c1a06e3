// Which of the compiled instruction sets this process uses.
#pragma once

#include <string>
#include <vector>

#include "cpu.hpp"
#include "plan.hpp"

namespace chainrule {

/// The set in use: the usual one of this CPU, until `choose` says else.
const InstructionSet &chosen();

/// The set that a CPU with these words uses unless another is chosen: the strongest that both it
/// and the build have and that gains something there.
std::string usual(const CpuWords &words);

/// The sets of this build that a CPU with these features runs, weakest first: for this CPU, what
/// `choose` takes.
std::vector<std::string> runnable(const std::vector<std::string> &features);

/// Use the set of that name; throws std::invalid_argument where build or CPU have not got it. One
/// that is in no list emulates another's instructions, for tests.
void choose(const std::string &name);

/// Whether the set in use has products in bfloat16, which the system lets it use.
inline bool has_mixed() {
    return chosen().mixed != nullptr && (!chosen().granted || chosen().granted());
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
