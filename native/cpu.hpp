#pragma once

#include <string>
#include <vector>

namespace chainrule {

/// Instruction sets of this CPU that the core can use, and that the operating system has enabled,
/// weakest first. "generic" is always there.
std::vector<std::string> instruction_sets();

/// Cores that this process may run on: its affinity mask, not the number in the machine.
int core_count();

} // namespace chainrule
