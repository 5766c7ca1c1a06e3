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
extern const Orthogonaliser<float> orthogonaliser;
} // namespace avx512_bf16
namespace amx_bf16 {
extern const Kernels<float> mixed_kernels, split_kernels;
}
#endif
namespace amx_bf16_emulated {
extern const Kernels<float> mixed_kernels, split_kernels;
}

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
         &avx512_bf16::mixed_kernels, nullptr, nullptr, &avx512_bf16::orthogonaliser},
        {"amx_bf16", avx512::instruction_set.f32, avx512::instruction_set.f64,
         &amx_bf16::mixed_kernels, &amx_bf16::split_kernels, tiles_granted},
#endif
    };
    return sets;
}

// Emulates the tiles of AMX, wherever the set whose other kernels it has can run.
const InstructionSet &emulated() {
#if defined(CHAINRULE_X86)
    const InstructionSet &full = avx2::instruction_set;
#else
    const InstructionSet &full = generic::instruction_set;
#endif
    static const InstructionSet set{"amx_bf16_emulated", full.f32, full.f64,
                                    &amx_bf16_emulated::mixed_kernels,
                                    &amx_bf16_emulated::split_kernels};
    return set;
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

const InstructionSet &usual_set(const CpuWords &words) {
    const std::vector<const InstructionSet *> sets = of_build(cpu_features(words));
    const bool slow =
        std::string(sets.back()->name) == "avx512_bf16" && !fast_bfloat16_vectors(words);
    return *sets[sets.size() - (slow ? 2 : 1)];
}

const InstructionSet *&current() {
    static const InstructionSet *set = &usual_set(cpu_words());
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

std::string usual(const CpuWords &words) {
    return usual_set(words).name;
}

const InstructionSet &chosen() {
    return *current();
}

Precision precision_named(const std::string &name) {
    if (name == "full") return Precision::full;
    if (name == "mixed") return Precision::mixed;
    if (name == "split") return Precision::split;
    throw std::invalid_argument("precision: expected full, mixed or split; got " + name);
}

std::vector<std::string> precisions() {
    std::vector<std::string> names;
    if (has(Precision::mixed)) names.emplace_back("mixed");
    if (has(Precision::split)) names.emplace_back("split");
    return names;
}

void choose(const std::string &name) {
    std::string names;
    for (const InstructionSet *set : usable()) {
        if (set->name == name) {
            current() = set;
            return;
        }
        if (name == emulated().name && set->f32 == emulated().f32) {
            current() = &emulated();
            return;
        }
        names += (names.empty() ? "" : ", ") + std::string(set->name);
    }
    throw std::invalid_argument("instruction set: expected one of " + names + "; got " + name);
}

} // namespace chainrule
