// Compiled once for every instruction set; CHAINRULE_ISA is the set's name.

#include "kernels.hpp"
#include "tables.hpp"

namespace chainrule::CHAINRULE_ISA {

extern const Kernels<double> double_kernels; // kernels_f64.cpp

namespace {

template <typename X> constexpr Entry named{X::name, X::settings.name};

// The entries for all types of a list.
template <typename... Xs> Entries<LayerEntry> layers_of(Types<Xs...>) {
    static constexpr LayerEntry all[]{
        {named<Xs>, Xs::lists, Xs::reads_codes, Xs::has_weights, Xs::check}...};
    return {all, sizeof...(Xs)};
}
template <typename... Xs> Entries<ActivationEntry> activations_of(Types<Xs...>) {
    static constexpr ActivationEntry all[]{{named<Xs>, Xs::element_wise}...};
    return {all, sizeof...(Xs)};
}
template <typename... Xs> Entries<Entry> costs_of(Types<Xs...>) {
    static constexpr Entry all[]{named<Xs>...};
    return {all, sizeof...(Xs)};
}
template <typename... Xs> Entries<OptimizerEntry> optimizers_of(Types<Xs...>) {
    static constexpr OptimizerEntry all[]{{named<Xs>, Xs::slots, Xs::averages}...};
    return {all, sizeof...(Xs)};
}

constexpr Kernels<float> float_kernels = kernels_of<float>;

} // namespace

extern const Tables tables{layers_of(KindsOf<float>::List{}),
                           activations_of(Activations<float, CHAINRULE_BYTES>::List{}),
                           costs_of(Costs<float, CHAINRULE_BYTES>::List{}),
                           optimizers_of(Optimizers<float, CHAINRULE_BYTES>::List{})};

extern const InstructionSet instruction_set{CHAINRULE_NAME, &float_kernels, &double_kernels,
                                            nullptr};

} // namespace chainrule::CHAINRULE_ISA
