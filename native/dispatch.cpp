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

// The sets of kernels in this build, weakest first; a new set is a new line. "generic" runs on
// every CPU; the name of any other set is that of the CPU feature it needs (cpu_features).
const std::vector<InstructionSet> &built() {
    static const std::vector<InstructionSet> sets{
        generic::instruction_set,
#if defined(CHAINRULE_X86)
        avx2::instruction_set,
        avx512::instruction_set,
        {"avx512_bf16", avx512::instruction_set.f32, avx512::instruction_set.f64,
         &avx512_bf16::mixed_kernels},
#endif
    };
    return sets;
}

std::vector<const InstructionSet *> of_build(const std::vector<std::string> &features) {
    std::vector<const InstructionSet *> sets;
    for (const InstructionSet &set : built()) {
        if (&set == &built().front() ||
            std::find(features.begin(), features.end(), set.name) != features.end()) {
            sets.push_back(&set);
        }
    }
    return sets;
}

std::vector<const InstructionSet *> usable() {
    return of_build(cpu_features(cpu_words()));
}

const InstructionSet *&current() {
    static const InstructionSet *set = usable().back();
    return set;
}

} // namespace

std::vector<std::string> runnable(const std::vector<std::string> &features) {
    std::vector<std::string> names;
    for (const InstructionSet *set : of_build(features)) {
        names.emplace_back(set->name);
    }
    return names;
}

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
