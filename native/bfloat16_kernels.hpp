// The functions of the kernels with bfloat16 products. Networks and batches that these do not make
// faster are left to the kernels of CHAINRULE_FULL.
#pragma once

#include "entries.hpp"

namespace chainrule::CHAINRULE_FULL {
extern const InstructionSet instruction_set;
}

namespace chainrule::CHAINRULE_ISA {

// `Kind`: the dense layer.
template <typename Kind> struct Bfloat16Kernels {
    using Own = Engine<float, CHAINRULE_BYTES, Kind>;

    // Whether bfloat16 products pay; if not, products are in float32. The decision depends only on
    // the shapes of the network and the batch.
    static bool pays(const Network &net, long batch) {
        using Kinds = Table<float, CHAINRULE_BYTES, Kind>;
        const double faster = Kinds::sum(net, [&](auto kind, const Layer &layer, bool) {
            if constexpr (std::is_same_v<decltype(kind), Kind>) return kind.faster(layer, batch);
            return 0.0;
        });
        return faster >= 1e6;
    }

    static const Kernels<float> &full() { return *CHAINRULE_FULL::instruction_set.f32; }

    static long train(const Network &net, float *parameters, const Examples<float> &examples,
                      const Training<float> &training, const Control &control) {
        if (!pays(net, training.own(smaller(training.batch_size, examples.rows))))
            return full().train(net, parameters, examples, training, control);
        return train_with<Own>(net, parameters, examples, training, control);
    }

    static double loss(const Network &net, const float *parameters, const Examples<float> &examples,
                       const Objective &objective, float *gradient, const Control &control,
                       bool *stopped) {
        if (!pays(net, examples.count))
            return full().loss(net, parameters, examples, objective, gradient, control, stopped);
        return loss_with<Own>(net, parameters, examples, objective, gradient, control, stopped);
    }

    static Outcome forward(const Network &net, const float *parameters, const float *X, long m,
                           float *out, const Control &control) {
        if (!pays(net, m)) return full().forward(net, parameters, X, m, out, control);
        return forward_with<Own>(net, parameters, X, m, out, control);
    }
};

} // namespace chainrule::CHAINRULE_ISA
