// Compiled once for every instruction set, as kernels.cpp is.

#include "kernels.hpp"

namespace chainrule::CHAINRULE_ISA {

extern const Kernels<double> double_kernels;
const Kernels<double> double_kernels = kernels_of<double>;

} // namespace chainrule::CHAINRULE_ISA
