// Compiled once for every instruction set, with CHAINRULE_ISA naming it.

#include "entries.hpp"

namespace chainrule::CHAINRULE_ISA {

namespace {

// Batches of at most half a vector's examples use vectors of half the size.
template <typename T> bool narrow(long batch) {
    return CHAINRULE_BYTES > 32 && batch <= CHAINRULE_BYTES / 2 / long(sizeof(T));
}

constexpr int narrow_bytes = CHAINRULE_BYTES > 32 ? CHAINRULE_BYTES / 2 : CHAINRULE_BYTES;

template <typename T>
long train(const Network &net, T *parameters, const Examples<T> &examples, long batch,
           const Update<T> &update, double *costs, double *norms, const Control &control) {
    return narrow<T>(batch) ? train_with<Engine<T, narrow_bytes>>(net, parameters, examples, batch,
                                                                  update, costs, norms, control)
                            : train_with<Engine<T, CHAINRULE_BYTES>>(
                                  net, parameters, examples, batch, update, costs, norms, control);
}

template <typename T>
double loss(const Network &net, const T *parameters, const Examples<T> &examples, double l1,
            double l2, T *gradient, const Control &control, bool *stopped) {
    return loss_with<Engine<T, CHAINRULE_BYTES>>(net, parameters, examples, l1, l2, gradient,
                                                 control, stopped);
}

template <typename T, int BYTES>
Outcome forward_with(const Network &net, const T *parameters, const T *X, long m, T *out,
                     const Control &control) {
    const Examples<T> examples{X, nullptr, nullptr, nullptr, nullptr, m, m, 1};
    Engine<T, BYTES> engine(net, const_cast<T *>(parameters), examples, control, false);
    return engine.prepare(m, m) ? engine.forward(out) : Outcome::out_of_memory;
}

template <typename T>
Outcome forward(const Network &net, const T *parameters, const T *X, long m, T *out,
                const Control &control) {
    return narrow<T>(m) ? forward_with<T, narrow_bytes>(net, parameters, X, m, out, control)
                        : forward_with<T, CHAINRULE_BYTES>(net, parameters, X, m, out, control);
}

template <typename T> void activation(int kind, T *A, T *D, long n, T parameter) {
    Activations<T, CHAINRULE_BYTES>::apply(kind, A, D, n, parameter);
}

const Kernels<float> single_precision{train<float>, loss<float>, forward<float>, activation<float>};
const Kernels<double> double_precision{train<double>, loss<double>, forward<double>,
                                       activation<double>};

} // namespace

extern const InstructionSet instruction_set{CHAINRULE_NAME, &single_precision, &double_precision,
                                            nullptr};

} // namespace chainrule::CHAINRULE_ISA
