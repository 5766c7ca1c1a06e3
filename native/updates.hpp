// Phase 2 of a step for one group of parameters: penalty, gradient, update.
#pragma once

#include "groups.hpp"
#include "matrices.hpp"
#include "optimizers.hpp"

namespace chainrule::CHAINRULE_ISA {

template <typename T, int BYTES> class Updates {
    using Opt = Optimizers<T, CHAINRULE_BYTES>; // whole vectors, however narrow a batch is

  public:
    // `matrices`: those whose steps are orthogonal, if there are any.
    Updates(T *theta, const Groups &groups, long parameters, const Matrices<T> *matrices = nullptr)
        : theta_(theta), groups_(groups), parameters_(parameters),
          matrices_(matrices && matrices->count() ? matrices : nullptr) {}

    // Applies penalties and optimizer to a group, and returns Σ g². `gradient` holds the group's
    // own gradient or, if `whole`, that of all parameters. Of hidden matrices with orthogonal
    // steps, it only determines the direction.
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
            const T *g = gradient + (whole ? now.at : now.in_group);
            if (waits(now)) {
                squares += directions(update, now, g, numbers);
                continue;
            }
            for (; alike && s < end && s->moves && !waits(*s) && s->at == now.at + now.count &&
                   s->rate == now.rate;
                 ++s)
                now.count += s->count;
            squares += now.rate == 1 ? slice(update, now, g, numbers)
                                     : slice(update, now, g, numbers.at_rate(now.rate));
        }
        return squares;
    }

    // Whether a group has rows of matrices with orthogonal steps, which end with `finish`.
    bool waits(const Group &group) const {
        bool any = false;
        for (const Slice *s = groups_.begin(group); s < groups_.end(group); ++s)
            any |= waits(*s);
        return any;
    }
    // The steps of a group's rows of such matrices, when their directions are orthogonal.
    void finish(const Group &group, const StepNumbers<T> &numbers) const {
        for (const Slice *s = groups_.begin(group); s < groups_.end(group); ++s) {
            if (!waits(*s)) continue;
            const StepNumbers<T> own = Opt::of_slice(numbers.at_rate(s->rate), s->weights);
            for (long i = 0; i < s->count; i += s->row) {
                const auto row = matrices_->row(s->at + i);
                Opt::orthogonal_step(theta_ + s->at + i, row.direction, s->row, row.size, own);
            }
        }
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
    bool waits(const Slice &slice) const { return matrices_ && slice.row; }

    double directions(const Update<T> &update, const Slice &s, const T *g,
                      const StepNumbers<T> &numbers) const {
        const StepNumbers<T> own = Opt::of_slice(numbers, s.weights);
        double squares = 0;
        for (long i = 0; i < s.count; i += s.row) {
            const auto row = matrices_->row(s.at + i);
            const auto found = Opt::ahead(theta_ + s.at + i, g + i, update.slots + s.at + i,
                                          row.direction, s.row, own);
            *row.squares = found.direction;
            squares += found.gradient;
        }
        return squares;
    }

    double slice(const Update<T> &update, const Slice &s, const T *g,
                 const StepNumbers<T> &numbers) const {
        return Opt::run(update.optimizer.kind, theta_ + s.at, g, update.slots + s.at, parameters_,
                        s.count, numbers, s.weights);
    }

    T *theta_;
    const Groups &groups_;
    const long parameters_;
    const Matrices<T> *const matrices_;
};

} // namespace chainrule::CHAINRULE_ISA
