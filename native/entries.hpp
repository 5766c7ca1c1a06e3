// What every set of kernels does with an engine of its own.
#pragma once

#include "engine.hpp"

namespace chainrule::CHAINRULE_ISA {

template <typename Engine, typename T>
long train_with(const Network &net, T *parameters, const Examples<T> &examples, long batch,
                const Update<T> &update, double *costs, double *norms, const Control &control) {
    Engine engine(net, parameters, examples, control, true, true);
    if (!engine.prepare(smaller(batch, examples.count), smaller(batch, examples.rows))) return -1;
    if (update.max_norm > 0) engine.need_whole_gradient();
    if (!engine.prepare_gradient(nullptr)) return -1;
    return engine.train(update, costs, norms);
}

template <typename Engine, typename T>
double loss_with(const Network &net, const T *parameters, const Examples<T> &examples, double l1,
                 double l2, T *gradient, const Control &control, bool *stopped) {
    // The engine updates parameters in `train` only.
    Engine engine(net, const_cast<T *>(parameters), examples, control, gradient != nullptr);
    *stopped = false;
    if (!engine.prepare(examples.count, examples.count) ||
        !(gradient ? engine.prepare_gradient(gradient) : engine.prepare_costs())) {
        return -1;
    }
    StepNumbers<T> numbers{};
    numbers.l1 = T(l1);
    numbers.l2 = T(l2);
    const double J = gradient ? engine.loss_and_gradient(numbers) : engine.loss(numbers);
    *stopped = engine.was_stopped();
    return J;
}

} // namespace chainrule::CHAINRULE_ISA
