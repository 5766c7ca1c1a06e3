// Which of the compiled instruction sets this process uses.
#pragma once

#include <string>

#include "plan.hpp"

namespace chainrule {

/// The set in use: the strongest that both the build and this CPU have, until `choose` says else.
const InstructionSet &chosen();

/// Use the set of that name; throws std::invalid_argument where build or CPU have not got it.
void choose(const std::string &name);

template <typename T> const Kernels<T> &kernels();
template <> inline const Kernels<float> &kernels<float>() {
    return *chosen().f32;
}
template <> inline const Kernels<double> &kernels<double>() {
    return *chosen().f64;
}

} // namespace chainrule
