// The entry points of the kernels, which are compiled for every instruction set.
#pragma once

#include "engine.hpp"

namespace chainrule::CHAINRULE_ISA {

template <typename Engine, typename T>
long train_with(const Network &net, T *parameters, const Examples<T> &examples,
                const Training<T> &training, const Control &control) {
    const Objective &objective = training.objective;
    const long batch = training.batch_size, count = training.count(examples);
    const bool own = training.ranks && training.ranks->examples;
    Purpose purpose{training.own(smaller(batch, count)),
                    training.own(own ? batch : smaller(batch, examples.rows))};
    purpose.gradients = purpose.stepping = true;
    purpose.summed = training.ranks != nullptr;
    purpose.clipped = objective.max_norm < __builtin_huge_val();
    const Update<T> &update = training.update;
    Orthogonalisation<T> of;
    Optimizers<T, CHAINRULE_BYTES>::List::visit(update.optimizer.kind, [&](auto tag) {
        using Kind = typename decltype(tag)::Type;
        purpose.orthogonal = Kind::orthogonal;
        if constexpr (Kind::orthogonal)
            of = {update.orthogonaliser, Kind::epsilon(update.optimizer.settings)};
    });
    Engine engine(net, parameters, examples, control, purpose);
    T *const gradient = training.ranks ? training.ranks->message : nullptr;
    return engine.prepare(gradient, of) ? engine.train(training) : -1;
}

template <typename Engine, typename T>
double loss_with(const Network &net, const T *parameters, const Examples<T> &examples,
                 const Objective &objective, T *gradient, const Control &control, bool *stopped) {
    Purpose purpose{examples.count, examples.count};
    purpose.gradients = gradient != nullptr;
    purpose.costs = true;
    purpose.penalties = objective.l1 != 0 || objective.l2 != 0;
    // Casting away const is safe: the engine only updates parameters in `train`.
    Engine engine(net, const_cast<T *>(parameters), examples, control, purpose);
    *stopped = false;
    if (!engine.prepare(gradient)) return -1;
    StepNumbers<T> numbers{};
    numbers.l1 = T(objective.l1);
    numbers.l2 = T(objective.l2);
    const double J = gradient ? engine.loss_and_gradient(numbers) : engine.loss(numbers);
    *stopped = engine.was_stopped();
    return J;
}

template <typename Engine, typename T>
Outcome forward_with(const Network &net, const T *parameters, const T *X, long m, T *out,
                     const Control &control) {
    const Examples<T> examples{X, nullptr, nullptr, nullptr, nullptr, m, m, 1};
    Engine engine(net, const_cast<T *>(parameters), examples, control, Purpose{m, m});
    return engine.prepare() ? engine.forward(out) : Outcome::out_of_memory;
}

} // namespace chainrule::CHAINRULE_ISA
