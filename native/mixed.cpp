// Training with products in bfloat16, for CPUs with AVX-512-BF16.

#include "entries.hpp"
#include "layers/dense_mixed.hpp"

namespace chainrule::CHAINRULE_ISA {

namespace {

using MixedEngine = Engine<float, 64, DenseMixed>;

long train(const Network &net, float *parameters, const Examples<float> &examples,
           const Training<float> &training, const Control &control) {
    return train_with<MixedEngine>(net, parameters, examples, training, control);
}

double loss(const Network &net, const float *parameters, const Examples<float> &examples,
            const Objective &objective, float *gradient, const Control &control, bool *stopped) {
    return loss_with<MixedEngine>(net, parameters, examples, objective, gradient, control, stopped);
}

} // namespace

// For training steps only: a loss or an output by itself is always computed with float32 products.
extern const Kernels<float> mixed_kernels{train, loss, nullptr, nullptr, nullptr};

} // namespace chainrule::CHAINRULE_ISA
