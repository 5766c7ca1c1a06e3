// A step in two phases (see docs/explanation/performance.md):
//
//   1. Divided by examples (example_phase.hpp).
//   2. Divided by parameters: each thread has groups of rows of W[l] (and b[l]). It computes their
//      gradient over all panels in order (BP3, BP4), and applies penalty and optimizer to them.
//
// An optimizer whose steps are orthogonal, O11, needs the whole gradient of a hidden matrix: its
// groups end with the matrix's direction, and their steps follow when all threads together have
// orthogonalised the directions (matrices.hpp).
//
// No sum is divided in a way that depends on the number of threads, so the bits of the result do
// not either. Where parameters are few, a gradient is the sum of those over two fixed halves of the
// panels, which two threads compute in the first phase.
#pragma once

#include "example_phase.hpp"
#include "updates.hpp"

namespace chainrule::CHAINRULE_ISA {

template <typename T, int BYTES, typename Kinds> class Step {
    using C = Context<T, BYTES>;
    using Room = Preparation<T, BYTES, Kinds>;
    using Examples = ExamplePhase<T, BYTES, Kinds>;

  public:
    // `training`: nullptr if the gradient is returned instead of taking a step.
    Step(const C &context, const Panels<T, BYTES, Kinds> &panels, Room &room, Crew &crew,
         const Training<T> *training)
        : c_(context), room_(room), crew_(crew), training_(training),
          examples_(context, panels, room, crew),
          updates_(context.theta, room.groups, context.net.parameters, &room.matrices) {}

    // Both phases of one batch. Returns false if the run was stopped, in which case no parameter
    // was updated.
    bool run(Member &self, const Batch &batch, const StepNumbers<T> &numbers) {
        const long size = c_.ws.panel_size, part = c_.ws.panels * size;
        // A batch that exceeds the panels in memory goes through in parts.
        for (long at = 0; at < batch.count; at += part) {
            const long n = smaller(part, batch.count - at);
            if (by_halves()) {
                half(self, batch);
            } else if (!examples_.run(self, batch, at, n)) {
                return false;
            }
            // Phase 2 reads the panels, or the half gradients, of all threads.
            if (!crew_.barrier(self)) return false;
            parameters_phase(self, batch, numbers, at, n);
            // The next part overwrites the panels, and an update needs the whole gradient.
            if (room_.whole_gradient && !crew_.barrier(self)) return false;
        }
        if (self.index == 0) note_cost(batch);
        if (!training_) return true;
        if (training_->ranks && !sum_over_ranks(self, batch)) return false;
        if (room_.whole_gradient && !update_from_whole(self, batch, numbers)) return false;
        if (room_.matrices.count()) orthogonal_steps(self, batch, numbers);
        return true;
    }

    // J, gradient norm and penalty of the last batch, valid after the barrier that follows `run`.
    double cost() const { return cost_; }
    double gradient_norm() const { return __builtin_sqrt(sum(room_.groups.squares)); }
    double penalty() const { return sum(room_.groups.penalties); }

    const Updates<T, BYTES> &updates() const { return updates_; }

  private:
    bool updates_at_once() const { return training_ && !room_.whole_gradient; }

    // Whether each of two threads has one half of the batch's panels.
    bool by_halves() const { return room_.halved && crew_.threads() == 2; }

    // The panels of n examples, and of a half of them; the second half may be empty.
    PanelSpan all_of(long n) const {
        const long panels = divided_up(n, c_.ws.panel_size);
        return {0, panels, n - (panels - 1) * c_.ws.panel_size, 0};
    }
    PanelSpan half_of(long n, int which) const {
        const PanelSpan all = all_of(n);
        const long first = divided_up(all.count, 2);
        if (which == 1) return {first, all.count - first, all.last_count, 0};
        return {0, first, first < all.count ? c_.ws.panel_size : all.last_count, 0};
    }

    // Phase 1 of this thread's half, and the gradient over it of all groups.
    void half(Member &self, const Batch &batch) {
        const PanelSpan own = half_of(batch.count, self.index);
        if (own.count == 0) return;
        examples_.run_alone(self, batch, own.first, own.first + own.count);
        for (long g = 0; g < room_.groups.count(); ++g) {
            const Group &group = room_.groups[g];
            crew_.test_stop(self, group.work * batch.count / 2);
            if (crew_.stop_wished()) return;
            Kinds::gradient(c_, group, own, room_.halves[self.index] + group.at);
            lap(Timed::gradients);
        }
    }

    // The gradient of a group over the panels of n examples, in `own`.
    void gradient(const Group &group, long n, T *own) const {
        const PanelSpan second = half_of(n, 1);
        if (!room_.halved) {
            Kinds::gradient(c_, group, all_of(n), own);
        } else if (by_halves()) {
            add(group, room_.halves[0] + group.at,
                second.count ? room_.halves[1] + group.at : nullptr, own);
        } else {
            Kinds::gradient(c_, group, half_of(n, 0), own);
            if (!second.count) return;
            Kinds::gradient(c_, group, second, own + room_.spare);
            add(group, own, own + room_.spare, own);
        }
    }
    void add(const Group &group, const T *first, const T *second, T *sum) const {
        const long count = room_.groups.elements(group);
        for (long i = 0; i < count; ++i)
            sum[i] = second ? first[i] + second[i] : first[i];
    }

    // Phase 2 over the panels of n examples, beginning with the batch's example `at`.
    void parameters_phase(Member &self, const Batch &batch, const StepNumbers<T> &numbers, long at,
                          long n) {
        T *const own = room_.arena(self.index);
        each_group(self, [&](long g) {
            const Group &group = room_.groups[g];
            // Stopping here is only possible while no group has been updated.
            if (room_.whole_gradient) {
                crew_.test_stop(self, group.work * n);
                if (crew_.stop_wished()) return false;
            }
            gradient(group, n, own);
            lap(Timed::gradients);
            if (updates_at_once()) {
                note_penalty(g, numbers);
                room_.groups.squares[g] =
                    updates_.update(group, training_->update, numbers, own, false);
                after_update(group, batch, numbers);
            } else {
                updates_.keep(group, own, room_.gradient, !room_.whole_gradient || at == 0);
            }
            lap(Timed::updates);
            return true;
        });
    }

    // Calls f(g) for each group, in some thread: see Crew::distribute.
    template <typename F> void each_group(const Member &self, F &&f) {
        crew_.distribute(
            self, [&](int thread) { return room_.groups.first_of(thread, crew_.threads()); }, f);
    }

    bool update_from_whole(Member &self, const Batch &batch, StepNumbers<T> numbers) {
        const double most = training_->objective.max_norm;
        if (room_.purpose.clipped) { // G1
            each_group(self, [&](long g) {
                room_.groups.squares[g] =
                    updates_.squares(room_.groups[g], room_.gradient, numbers);
                return true;
            });
            if (!crew_.barrier(self)) return false;
            // Every thread adds the same squares in the same order, and gets the same norm.
            const double norm = gradient_norm();
            if (norm > most) numbers.scale = T(most / norm);
        }
        each_group(self, [&](long g) {
            const Group &group = room_.groups[g];
            note_penalty(g, numbers);
            const double squares =
                updates_.update(group, training_->update, numbers, room_.gradient, true);
            // With clipping, the squares are known already, and another thread may be reading them
            // for its norm at this moment.
            if (!room_.purpose.clipped) room_.groups.squares[g] = squares;
            after_update(group, batch, numbers);
            return true;
        });
        lap(Timed::updates);
        return true;
    }

    // The steps of hidden matrices whose directions are known when all threads have passed the
    // first barrier. The results of barriers are ignored: the step has begun its updates.
    void orthogonal_steps(Member &self, const Batch &batch, const StepNumbers<T> &numbers) {
        crew_.barrier(self);
        room_.matrices.orthogonalise(self, crew_);
        lap(Timed::updates);
        crew_.barrier(self);
        each_group(self, [&](long g) {
            const Group &group = room_.groups[g];
            if (!updates_.waits(group)) return true;
            updates_.finish(group, numbers);
            renew(group, batch, numbers);
            return true;
        });
        lap(Timed::updates);
    }

    // What follows the update of a group, unless a part of it is yet to come.
    void after_update(const Group &group, const Batch &batch, const StepNumbers<T> &numbers) {
        if (!updates_.waits(group)) renew(group, batch, numbers);
    }
    // Layers keep copies of their weights in other layouts, and running statistics; a batch without
    // weight has no statistics to follow.
    void renew(const Group &group, const Batch &batch, const StepNumbers<T> &numbers) {
        Kinds::renew(c_, group);
        if (batch.share > 0) Kinds::follow(c_, group);
        if (T *average = training_->update.average) updates_.average(group, average, numbers.share);
    }

    // Sums the gradient and the cost of all ranks, which thread 0 has in one message; every rank
    // then makes the same update. Returns false if that failed.
    bool sum_over_ranks(Member &self, const Batch &batch) {
        if (self.index == 0) {
            const Ranks<T> &ranks = *training_->ranks;
            T &cost = ranks.message[c_.net.parameters];
            if (batch.count == 0) std::memset(ranks.message, 0, sizeof(T) * c_.net.parameters);
            cost = T(cost_);
            if (!ranks.sum(ranks.context)) crew_.wish_stop();
            cost_ = double(cost);
        }
        return crew_.barrier(self);
    }

    // Records the penalty of a group before its update, if penalties are requested.
    void note_penalty(long g, const StepNumbers<T> &numbers) {
        if (training_->records.penalties)
            room_.groups.penalties[g] = updates_.penalty(room_.groups[g], numbers);
    }

    // Adds the panels' costs in order, so that J has the same bits for any number of threads.
    void note_cost(const Batch &batch) {
        cost_ = 0;
        const long panels = divided_up(batch.count, c_.ws.panel_size);
        for (long q = 0; q < panels; ++q)
            cost_ += room_.panel_costs[q];
        cost_ *= batch.share;
    }

    double sum(const double *of_groups) const {
        double sum = 0;
        for (long g = 0; g < room_.groups.count(); ++g)
            sum += of_groups[g];
        return sum;
    }

    const C &c_;
    Room &room_;
    Crew &crew_;
    const Training<T> *training_;
    Examples examples_;
    Updates<T, BYTES> updates_;
    double cost_ = 0;
};

} // namespace chainrule::CHAINRULE_ISA
