#include "dispatch.hpp"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "cpu.hpp"

namespace chainrule {

namespace generic {
extern const InstructionSet instruction_set;
}
#if defined(CHAINRULE_X86)
namespace avx2 {
extern const InstructionSet instruction_set;
}
namespace avx512 {
extern const InstructionSet instruction_set;
}
namespace avx512_bf16 {
extern const Kernels<float> mixed_kernels;
}
#endif

namespace {

std::vector<const InstructionSet *> built() {
    std::vector<const InstructionSet *> sets{&generic::instruction_set};
#if defined(CHAINRULE_X86)
    sets.push_back(&avx2::instruction_set);
    sets.push_back(&avx512::instruction_set);
    static const InstructionSet with_bf16{"avx512_bf16", avx512::instruction_set.f32,
                                          avx512::instruction_set.f64, &avx512_bf16::mixed_kernels};
    sets.push_back(&with_bf16);
#endif
    return sets;
}

// Weakest first: those of the build that this CPU can run.
std::vector<const InstructionSet *> usable() {
    const std::vector<std::string> offered = instruction_sets();
    std::vector<const InstructionSet *> sets;
    for (const InstructionSet *set : built()) {
        if (std::find(offered.begin(), offered.end(), set->name) != offered.end()) {
            sets.push_back(set);
        }
    }
    return sets;
}

const InstructionSet *&current() {
    static const InstructionSet *set = usable().back();
    return set;
}

} // namespace

const InstructionSet &chosen() {
    return *current();
}

void choose(const std::string &name) {
    std::string names;
    for (const InstructionSet *set : usable()) {
        if (set->name == name) {
            current() = set;
            return;
        }
        names += (names.empty() ? "" : ", ") + std::string(set->name);
    }
    throw std::invalid_argument("instruction set: expected one of " + names + "; got " + name);
}

} // namespace chainrule
