// The choice of the instruction set that this process uses.
#pragma once

#include <string>
#include <vector>

#include "cpu.hpp"
#include "plan.hpp"

namespace chainrule {

/// The set in use: that of the last `choose`, or the usual one of this CPU.
const InstructionSet &chosen();

/// The set that a CPU with these words uses unless another is chosen: the strongest one that build
/// and CPU both support and that is faster there than those before it.
std::string usual(const CpuWords &words);

/// The sets of this build that run on a CPU with these features, weakest first. For this CPU, they
/// are the names that `choose` accepts.
std::vector<std::string> runnable(const std::vector<std::string> &features);

/// Use a set by name; throws std::invalid_argument if the build or the CPU does not have it. One
/// set, in no list, emulates the instructions of another for tests.
void choose(const std::string &name);

/// How float32 networks multiply: in float32, in bfloat16, or in sums of three bfloat16 numbers.
enum class Precision { full, mixed, split };

/// A precision by name; throws std::invalid_argument if there is no such precision.
Precision precision_named(const std::string &name);

/// Whether the set in use has kernels of its own for a precision, which the system lets it use.
inline bool has(Precision precision) {
    const InstructionSet &set = chosen();
    const Kernels<float> *own = precision == Precision::mixed   ? set.mixed
                                : precision == Precision::split ? set.split
                                                                : set.f32;
    return own && (precision == Precision::full || !set.granted || set.granted());
}

/// The names of the precisions other than "full" that the set in use has.
std::vector<std::string> precisions();

/// The kernels in use for a type: those of a precision, if the set has it, else the full ones.
template <typename T> const Kernels<T> &kernels(Precision precision = Precision::full);
template <> inline const Kernels<float> &kernels<float>(Precision precision) {
    const InstructionSet &set = chosen();
    if (precision == Precision::full || !has(precision)) return *set.f32;
    return precision == Precision::mixed ? *set.mixed : *set.split;
}
template <> inline const Kernels<double> &kernels<double>(Precision) {
    return *chosen().f64;
}

/// What orthogonalises in bfloat16 in the set in use; nullptr if nothing does.
template <typename T> const Orthogonaliser<T> *orthogonaliser() {
    return nullptr;
}
template <> inline const Orthogonaliser<float> *orthogonaliser<float>() {
    return chosen().orthogonaliser;
}

} // namespace chainrule
