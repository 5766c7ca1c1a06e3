// Phase 2 of a step for one group of parameters: penalty, gradient, update.
#pragma once

#include "groups.hpp"
#include "optimizers.hpp"

namespace chainrule::CHAINRULE_ISA {

template <typename T, int BYTES> class Updates {
    using Opt = Optimizers<T, CHAINRULE_BYTES>; // whole vectors, however narrow a batch is

  public:
    Updates(T *theta, const Groups &groups, long parameters)
        : theta_(theta), groups_(groups), parameters_(parameters) {}

    // Applies penalties and optimizer to a group, and returns Σ g². `gradient` holds the group's
    // own gradient or, if `whole`, that of all parameters.
    double update(const Group &group, const Update<T> &update, const StepNumbers<T> &numbers,
                  const T *gradient, bool whole) const {
        // Without penalties and decay, weights and biases are updated alike, and adjacent slices
        // are merged into a longer one.
        const bool alike = numbers.l1 == T(0) && numbers.l2 == T(0) && numbers.decay == T(0);
        double squares = 0;
        const Slice *const end = groups_.end(group);
        for (const Slice *s = groups_.begin(group); s < end;) {
            Slice now = *s++;
            if (!now.moves) continue;
            for (;
                 alike && s < end && s->moves && s->at == now.at + now.count && s->rate == now.rate;
                 ++s)
                now.count += s->count;
            const T *g = gradient + (whole ? now.at : now.in_group);
            squares += now.rate == 1 ? slice(update, now, g, numbers)
                                     : slice(update, now, g, numbers.at_rate(now.rate));
        }
        return squares;
    }

    // WA1 of a group after its update, which includes its statistics.
    __attribute__((noinline)) void average(const Group &group, T *average, T share) const {
        for (const Slice *s = groups_.begin(group); s < groups_.end(group); ++s)
            Opt::average(average + s->at, theta_ + s->at, s->count, share);
    }

    // Returns Σ g² of a group, penalties included, from the whole gradient.
    double squares(const Group &group, const T *gradient, const StepNumbers<T> &numbers) const {
        double squares = 0;
        for (const Slice *s = groups_.begin(group); s < groups_.end(group); ++s)
            squares +=
                Opt::squares(theta_ + s->at, gradient + s->at, s->count, numbers, s->weights);
        return squares;
    }

    // Stores a group's own gradient in the whole one (`fresh`), or adds it.
    void keep(const Group &group, const T *own, T *gradient, bool fresh) const {
        for (const Slice *s = groups_.begin(group); s < groups_.end(group); ++s) {
            const T *from = own + s->in_group;
            T *to = gradient + s->at;
            for (long i = 0; i < s->count; ++i)
                to[i] = fresh ? from[i] : to[i] + from[i];
        }
    }

    // P1 and P2 of a group's weights. (Not inlined, because the compiler generates better code for
    // the step without it.)
    __attribute__((noinline)) double penalty(const Group &group,
                                             const StepNumbers<T> &numbers) const {
        double sum = 0;
        for (const Slice *s = groups_.begin(group); s < groups_.end(group); ++s)
            if (s->weights) sum += Opt::penalty(theta_ + s->at, s->count, numbers);
        return sum;
    }
    // P1 and P2 of all weights, added up group by group, so that the bits are the same as in a
    // step.
    double penalty(const StepNumbers<T> &numbers) const {
        if (numbers.l1 == T(0) && numbers.l2 == T(0)) return 0;
        double sum = 0;
        for (long g = 0; g < groups_.count(); ++g)
            sum += penalty(groups_[g], numbers);
        return sum;
    }

    // Adds ∂P/∂θ to the whole gradient, for a caller that wants the gradient of J + penalties.
    void add_penalties(T *gradient, const StepNumbers<T> &numbers) const {
        for (long g = 0; g < groups_.count(); ++g)
            for (const Slice *s = groups_.begin(groups_[g]); s < groups_.end(groups_[g]); ++s)
                if (s->weights)
                    Opt::add_penalties(gradient + s->at, theta_ + s->at, s->count, numbers);
    }

  private:
    double slice(const Update<T> &update, const Slice &s, const T *g,
                 const StepNumbers<T> &numbers) const {
        return Opt::run(update.optimizer.kind, theta_ + s.at, g, update.slots + s.at, parameters_,
                        s.count, numbers, s.weights);
    }

    T *theta_;
    const Groups &groups_;
    const long parameters_;
};

} // namespace chainrule::CHAINRULE_ISA
