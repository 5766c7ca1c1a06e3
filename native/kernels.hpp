// The functions of the kernels, in one precision T: kernels.cpp has those of float32,
// kernels_f64.cpp those of float64, two files because each takes the compiler more than a minute.
#pragma once

#include "entries.hpp"

namespace chainrule::CHAINRULE_ISA {

// For batches of at most half a vector's lanes, vectors of half the size are used.
template <typename T> bool narrow(long batch) {
    return CHAINRULE_BYTES > 32 && batch <= CHAINRULE_BYTES / 2 / long(sizeof(T));
}

constexpr int narrow_bytes = CHAINRULE_BYTES > 32 ? CHAINRULE_BYTES / 2 : CHAINRULE_BYTES;

template <typename T>
long train(const Network &net, T *parameters, const Examples<T> &examples,
           const Training<T> &training, const Control &control) {
    return narrow<T>(training.own(training.batch_size))
               ? train_with<Engine<T, narrow_bytes>>(net, parameters, examples, training, control)
               : train_with<Engine<T, CHAINRULE_BYTES>>(net, parameters, examples, training,
                                                        control);
}

template <typename T>
double loss(const Network &net, const T *parameters, const Examples<T> &examples,
            const Objective &objective, T *gradient, const Control &control, bool *stopped) {
    return loss_with<Engine<T, CHAINRULE_BYTES>>(net, parameters, examples, objective, gradient,
                                                 control, stopped);
}

template <typename T>
Outcome forward(const Network &net, const T *parameters, const T *X, long m, T *out,
                const Control &control) {
    return narrow<T>(m)
               ? forward_with<Engine<T, narrow_bytes>>(net, parameters, X, m, out, control)
               : forward_with<Engine<T, CHAINRULE_BYTES>>(net, parameters, X, m, out, control);
}

template <typename T> void activation(const Choice &chosen, T *A, T *D, long n) {
    using Act = Activations<T, CHAINRULE_BYTES>;
    Act::apply(chosen, A, D, 1, n, 0);
}

template <typename T> using KindsOf = Table<T, CHAINRULE_BYTES, Dense<T, CHAINRULE_BYTES>>;

template <typename T>
bool readable(const Network &net, const T *X, long m, const std::int32_t *order) {
    const Layer &first = net.layers[0];
    bool all = true;
    KindsOf<T>::visit(first, [&](auto kind) {
        for (long i = 0; i < m; ++i)
            all &= kind.readable(first, X + (order ? long(order[i]) : i) * first.n_in);
    });
    return all;
}

template <typename T>
constexpr Kernels<T> kernels_of{train<T>, loss<T>, forward<T>, activation<T>, readable<T>};

} // namespace chainrule::CHAINRULE_ISA
