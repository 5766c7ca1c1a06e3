// Phase 1 of a step: a thread takes whole panels through everything that depends on their examples
// alone: gather, forward (F1, F2), cost, δ of every layer (BP1, BP2, FU1 to FU6).
//
// Where layers need to know what the whole batch is like (batch normalisation), it goes in segments
// with barriers between them.
#pragma once

#include "panels.hpp"
#include "preparation.hpp"

namespace chainrule::CHAINRULE_ISA {

struct Batch {
    long first, count;       // examples, in the order
    double share;            // of an example of weight 1 in the mean; 0: nobody has weight
    std::uint64_t noise = 0; // what the step's random numbers are drawn from
};

template <typename T, int BYTES, typename Kinds> class ExamplePhase {
    using C = Context<T, BYTES>;
    using Room = Preparation<T, BYTES, Kinds>;

  public:
    ExamplePhase(const C &context, const Panels<T, BYTES, Kinds> &panels, Room &room, Crew &crew)
        : c_(context), panels_(panels), room_(room), crew_(crew) {}

    // This thread's panels of the `count` examples that begin at the batch's example `at`; of a
    // segmented batch all. False: stopped.
    bool run(Member &self, const Batch &batch, long at, long count) {
        if (room_.segmented) return in_segments(self, batch);
        const double work = work_of_span();
        each_span(self, batch, at, count, work, [&](const PanelSpan &some) {
            each_panel(batch, some, [&](long panel, long example, long size) {
                panels_.gather(panel, example, size);
            });
            panels_.forward(some);
            output(batch, some);
            panels_.backward(some);
        });
        return true;
    }

  private:
    double work_of_span() const {
        return Kinds::pass_work(c_.net, c_.ws.panel_size * room_.together);
    }

    // Calls f with the panels that are this thread's, some at a time, of the `count` examples that
    // begin at the batch's example `at`.
    template <typename F>
    void each_span(const Member &self, const Batch &batch, long at, long count, double work,
                   F &&f) {
        const long size = c_.ws.panel_size, panels = divided_up(count, size);
        const long end = crew_.last_of(self, panels);
        for (long q = crew_.first_of(self, panels); q < end; q += room_.together) {
            crew_.test_stop(self, work);
            if (crew_.stop_wished()) break;
            const long many = smaller(room_.together, end - q), last = (q + many - 1) * size;
            f(PanelSpan{q, many, smaller(size, count - last), at + q * size, batch.noise});
        }
    }

    // Calls f with each of some panels, its first example in the order, and how many it has.
    template <typename F> void each_panel(const Batch &batch, const PanelSpan &some, F &&f) const {
        for (long i = 0; i < some.count; ++i)
            f(some.first + i, batch.first + some.example + i * c_.ws.panel_size, c_.count(some, i));
    }

    void output(const Batch &batch, const PanelSpan &some) {
        // Panels of the parts of the batch that came before.
        const long ahead = some.example / c_.ws.panel_size - some.first;
        each_panel(batch, some, [&](long panel, long example, long size) {
            room_.panel_costs[ahead + panel] = panels_.output(panel, example, size, batch.share);
        });
    }

    // The next layer above or below l (`step` 1 or −1) that needs to know what the whole batch is
    // like; where there is none, L + 1 or 0.
    int next_barrier(int l, int step) const {
        do
            l += step;
        while (l >= 1 && l <= c_.net.count && !Kinds::whole_batch(c_.layer(l)));
        return l;
    }

    bool in_segments(Member &self, const Batch &batch) {
        const int L = c_.net.count;
        const long count = batch.count, panels = divided_up(count, c_.ws.panel_size);
        const long last = count - (panels - 1) * c_.ws.panel_size;
        const double work = work_of_span() / 4;
        each_span(self, batch, 0, count, work, [&](const PanelSpan &some) {
            each_panel(batch, some, [&](long panel, long example, long size) {
                panels_.gather(panel, example, size);
                panels_.shares(panel, example, size, batch.share);
            });
        });
        int l = 0;
        for (int next = next_barrier(0, 1); next <= L; l = next, next = next_barrier(next, 1)) {
            each_span(self, batch, 0, count, work, [&](const PanelSpan &some) {
                panels_.forward(some, larger(l, 1), next - 1);
            });
            if (!crew_.together(self)) return false;
            const long n = c_.layer(next).n_out;
            Kinds::statistics(c_, next, crew_.first_of(self, n), crew_.last_of(self, n), panels,
                              last);
            if (!crew_.together(self)) return false;
        }
        each_span(self, batch, 0, count, work, [&](const PanelSpan &some) {
            panels_.forward(some, l, L);
            output(batch, some);
            panels_.backward(some, L, l + 1);
        });
        for (; l >= 1; l = next_barrier(l, -1)) {
            if (!crew_.together(self)) return false;
            const long n = c_.layer(l).n_out;
            Kinds::errors(c_, l, crew_.first_of(self, n), crew_.last_of(self, n), panels, last);
            if (!crew_.together(self)) return false;
            const int below = next_barrier(l, -1);
            each_span(self, batch, 0, count, work,
                      [&](const PanelSpan &some) { panels_.backward(some, l, below + 1); });
        }
        return true;
    }

    const C &c_;
    const Panels<T, BYTES, Kinds> &panels_;
    Room &room_;
    Crew &crew_;
};

} // namespace chainrule::CHAINRULE_ISA
