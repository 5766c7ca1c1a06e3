// Phase 1 of a step: each thread takes whole panels through all computations that are independent
// between examples: gather, forward (F1, F2), cost, δ of every layer (BP1, BP2, FU1 to FU6).
//
// If a layer needs statistics of the whole batch (batch normalisation), the phase is divided into
// segments with barriers between them.
#pragma once

#include "panels.hpp"
#include "preparation.hpp"

namespace chainrule::CHAINRULE_ISA {

struct Batch {
    long first, count; // positions in the order of the examples
    double share;      // 1 / sum of weights: the share of weight 1 in the mean; 0 if all are 0
    std::uint64_t noise = 0; // key of the step's random numbers
    long before = 0;         // examples of the batch that other ranks have, before these
};

template <typename T, int BYTES, typename Kinds> class ExamplePhase {
    using C = Context<T, BYTES>;
    using Room = Preparation<T, BYTES, Kinds>;

  public:
    ExamplePhase(const C &context, const Panels<T, BYTES, Kinds> &panels, Room &room, Crew &crew)
        : c_(context), panels_(panels), room_(room), crew_(crew) {}

    // Processes `count` examples from the batch's example `at` on, with all threads; of a segmented
    // batch, all of it. Returns false if the run was stopped.
    bool run(Member &self, const Batch &batch, long at, long count) {
        if (room_.segmented) return in_segments(self, batch);
        const Part part{batch, at, count};
        const long panels = divided_up(count, c_.ws.panel_size);
        crew_.distribute(self, divided_up(panels, room_.together), [&](long i) {
            const long first = i * room_.together;
            return through(self, part, first, smaller(first + room_.together, panels));
        });
        return true;
    }

    // Processes the panels [first, end) of a batch that is in memory as a whole, in this thread.
    void run_alone(Member &self, const Batch &batch, long first, long end) {
        const Part whole{batch, 0, batch.count};
        for (long q = first; q < end; q += room_.together)
            if (!through(self, whole, q, smaller(q + room_.together, end))) return;
    }

  private:
    // What is in the panels: `count` examples of a batch, from its example `at` on.
    struct Part {
        const Batch &batch;
        long at, count;
    };

    double work_of_span() const {
        return Kinds::pass_work(c_.net, c_.ws.panel_size * room_.together);
    }

    // The panels [first, end) as a span, which goes through each layer together.
    PanelSpan span(const Part &part, long first, long end) const {
        const long size = c_.ws.panel_size;
        return {first,
                end - first,
                smaller(size, part.count - (end - 1) * size),
                part.at + first * size,
                part.batch.noise,
                part.batch.before};
    }

    // Takes a span through the whole phase. Returns false if the run is to be stopped.
    bool through(Member &self, const Part &part, long first, long end) {
        crew_.test_stop(self, work_of_span());
        if (crew_.stop_wished()) return false;
        const PanelSpan some = span(part, first, end);
        each_panel(part.batch, some, [&](long panel, long example, long size) {
            panels_.gather(panel, example, size);
        });
        lap(Timed::gather);
        panels_.forward(some);
        lap(Timed::forward);
        output(part.batch, some);
        lap(Timed::cost);
        panels_.backward(some);
        lap(Timed::errors);
        return true;
    }

    // Calls f with spans of this thread's panels of a whole batch. Each thread keeps to its own
    // panels: there is no barrier between two calls.
    template <typename F>
    void each_span(const Member &self, const Batch &batch, double work, F &&f) {
        const Part whole{batch, 0, batch.count};
        const long panels = divided_up(batch.count, c_.ws.panel_size);
        const long end = crew_.last_of(self, panels);
        for (long q = crew_.first_of(self, panels); q < end; q += room_.together) {
            crew_.test_stop(self, work);
            if (crew_.stop_wished()) break;
            f(span(whole, q, smaller(q + room_.together, end)));
        }
    }

    // Calls f(panel, position of its first example, number of examples) for each panel of a span.
    template <typename F> void each_panel(const Batch &batch, const PanelSpan &some, F &&f) const {
        for (long i = 0; i < some.count; ++i)
            f(some.first + i, batch.first + some.example + i * c_.ws.panel_size, c_.count(some, i));
    }

    void output(const Batch &batch, const PanelSpan &some) {
        // If the batch goes through in several parts, the number of panels in the earlier ones.
        const long ahead = some.example / c_.ws.panel_size - some.first;
        each_panel(batch, some, [&](long panel, long example, long size) {
            room_.panel_costs[ahead + panel] = panels_.output(panel, example, size, batch.share);
        });
    }

    // The next layer above or below l (`step` 1 or −1) that needs statistics of the whole batch;
    // L + 1 or 0 if there is none.
    int next_barrier(int l, int step) const {
        do
            l += step;
        while (l >= 1 && l <= c_.net.count && !Kinds::whole_batch(c_.layer(l)));
        return l;
    }

    bool in_segments(Member &self, const Batch &batch) {
        const int L = c_.net.count;
        const long panels = divided_up(batch.count, c_.ws.panel_size);
        const long last = batch.count - (panels - 1) * c_.ws.panel_size;
        const double work = work_of_span() / 4;
        each_span(self, batch, work, [&](const PanelSpan &some) {
            each_panel(batch, some, [&](long panel, long example, long size) {
                panels_.gather(panel, example, size);
                panels_.shares(panel, example, size, batch.share);
            });
        });
        int l = 0;
        // Forward: all panels up to the next such layer, then its statistics. After the barrier,
        // each thread computes those of its share of the units, in the order of the examples.
        for (int next = next_barrier(0, 1); next <= L; l = next, next = next_barrier(next, 1)) {
            each_span(self, batch, work, [&](const PanelSpan &some) {
                panels_.forward(some, larger(l, 1), next - 1);
            });
            if (!crew_.barrier(self)) return false;
            const long n = c_.layer(next).n_out;
            Kinds::statistics(c_, next, crew_.first_of(self, n), crew_.last_of(self, n), panels,
                              last);
            if (!crew_.barrier(self)) return false;
        }
        // The last segment includes the cost, and goes back down to the uppermost such layer.
        each_span(self, batch, work, [&](const PanelSpan &some) {
            panels_.forward(some, l, L);
            output(batch, some);
            panels_.backward(some, L, l + 1);
        });
        // Backward: the errors of such a layer need sums over the whole batch, too.
        for (; l >= 1; l = next_barrier(l, -1)) {
            if (!crew_.barrier(self)) return false;
            const long n = c_.layer(l).n_out;
            Kinds::errors(c_, l, crew_.first_of(self, n), crew_.last_of(self, n), panels, last);
            if (!crew_.barrier(self)) return false;
            const int below = next_barrier(l, -1);
            each_span(self, batch, work,
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
