// Training with bfloat16 products: in tiles (CHAINRULE_TILES) or in pairs.

#include "entries.hpp"
#if defined(CHAINRULE_TILES)
#include "layers/dense_tiles.hpp"
#else
#include "layers/dense_pairs.hpp"
#endif

namespace chainrule::CHAINRULE_FULL {
extern const InstructionSet instruction_set;
}

namespace chainrule::CHAINRULE_ISA {

namespace {

#if defined(CHAINRULE_TILES)
using Kind = DenseTiles<CHAINRULE_BYTES>;
#else
using Kind = DensePairs;
#endif
using MixedEngine = Engine<float, CHAINRULE_BYTES, Kind>;

// Whether bfloat16 products pay; if not, products are in float32. The decision depends only on the
// shapes of the network and the batch.
bool pays(const Network &net, long batch) {
    using Kinds = Table<float, CHAINRULE_BYTES, Kind>;
    const double faster = Kinds::sum(net, [&](auto kind, const Layer &layer, bool) {
        if constexpr (std::is_same_v<decltype(kind), Kind>) return kind.faster(layer, batch);
        return 0.0;
    });
    return faster >= 1e6;
}

const Kernels<float> &full() {
    return *CHAINRULE_FULL::instruction_set.f32;
}

long train(const Network &net, float *parameters, const Examples<float> &examples,
           const Training<float> &training, const Control &control) {
    if (!pays(net, smaller(training.batch_size, examples.rows)))
        return full().train(net, parameters, examples, training, control);
    return train_with<MixedEngine>(net, parameters, examples, training, control);
}

double loss(const Network &net, const float *parameters, const Examples<float> &examples,
            const Objective &objective, float *gradient, const Control &control, bool *stopped) {
    if (!pays(net, examples.count))
        return full().loss(net, parameters, examples, objective, gradient, control, stopped);
    return loss_with<MixedEngine>(net, parameters, examples, objective, gradient, control, stopped);
}

} // namespace

// For training steps only: a loss or an output by itself is always computed with float32 products.
extern const Kernels<float> mixed_kernels{train, loss, nullptr, nullptr, nullptr};

} // namespace chainrule::CHAINRULE_ISA
