// The runs that the core performs: training, loss, gradient, outputs. An engine is created for one
// run: constructor with its purpose, then `prepare`, then the run itself.
#pragma once

#include "rates.hpp"
#include "step.hpp"
#include "stopping.hpp"
#include "subnormals.hpp"
#include "thread_choice.hpp"

namespace chainrule::CHAINRULE_ISA {

// `DenseKind` is the implementation of dense layers (layers/): in T, or with bfloat16 products.
template <typename T, int BYTES, typename DenseKind = Dense<T, BYTES>> class Engine {
    using Kinds = Table<T, BYTES, DenseKind>;
    using S = Simd<T, BYTES>;
    using W = Workspace<T, BYTES>;
    using C = Context<T, BYTES>;
    using Step = chainrule::CHAINRULE_ISA::Step<T, BYTES, Kinds>;

  public:
    Engine(const Network &net, T *theta, const Examples<T> &examples, const Control &control,
           const Purpose &purpose)
        : net_(net), examples_(examples), control_(control), purpose_(purpose), crew_(control),
          context_{net, theta, room_.ws, purpose.gradients, purpose.stepping},
          panels_(context_, examples) {}

    // Allocates the memory for the purpose; returns false if there is not enough. `gradient`: the
    // caller's array for the gradient, if it is returned.
    bool prepare(T *gradient = nullptr, const Orthogonalisation<T> &of = {}) {
        return room_.prepare(net_, purpose_, gradient, crew_, control_, of);
    }

    // Trains, and returns the number of finished steps.
    long train(const Training<T> &training) {
        Step step(context_, panels_, room_, crew_, &training);
        Run run{training,
                step,
                {training.update, training.objective},
                {training.rule, training.count(examples_)},
                {}};
        ThreadChoice *const choice =
            room_.measured && control_.choice->take() ? control_.choice : nullptr;
        if (choice) choice->begin(crew_.most_threads(), room_.first_threads);
        const long epoch = divided_up(training.count(examples_), training.batch_size);
        const long steps = epoch * examples_.epochs;
        do {
            const long first = run.finished;
            long end = steps;
            int threads = room_.first_threads;
            const double before = choice ? now_seconds() : 0;
            if (choice) {
                const double expected = choice->expected() * double(purpose_.batch);
                const double many = expected > 0 ? choice->seconds() / expected : 2;
                if (many < double(steps - first)) end = first + larger(1, long(many));
                threads = choice->threads();
            }
            crew_.go(threads, [&](Member &self) { train_in(self, run, end); });
            if (run.finished < end) break; // stopped
            if (choice) {
                const double now = now_seconds();
                choice->note(now, (now - before) / double((end - first) * purpose_.batch));
            }
        } while (run.finished < steps);
        if (choice) choice->give_back();
        return run.finished;
    }

    // Returns J + penalties over all examples; NaN if it was stopped.
    double loss_and_gradient(const StepNumbers<T> &numbers) {
        Step step(context_, panels_, room_, crew_, nullptr);
        crew_.go([&](Member &self) {
            const FlushSubnormals guard;
            begin(self);
            const Batch all{0, examples_.count, share_of(0, examples_.count)};
            if (!step.run(self, all, numbers)) return;
            // The gradient is complete when all threads have passed this barrier.
            if (!crew_.barrier(self) || self.index != 0) return;
            step.updates().add_penalties(room_.gradient, numbers);
        });
        return crew_.stopped() ? not_a_number() : step.cost() + step.updates().penalty(numbers);
    }

    // The same without a gradient.
    double loss(const StepNumbers<T> &numbers) {
        double cost = 0;
        crew_.go([&](Member &self) {
            const FlushSubnormals guard;
            copy_weights(self);
            each_span(self, [&](const PanelSpan &some) {
                each_panel(some, [&](long panel, long first, long count) {
                    panels_.gather(panel, first, count);
                });
                panels_.forward(some);
                each_panel(some, [&](long panel, long first, long count) {
                    room_.panel_costs[first / room_.ws.panel_size] =
                        panels_.output(panel, first, count, 0);
                });
            });
            if (!crew_.barrier(self) || self.index != 0) return;
            // One thread adds all panels in their order, so that the sum has the same bits for any
            // number of threads.
            for (long q = 0; q < divided_up(examples_.count, room_.ws.panel_size); ++q)
                cost += room_.panel_costs[q];
            const double sum = weight_sum(0, examples_.count);
            cost = sum > 0 ? cost / sum : 0;
        });
        const Updates<T, BYTES> updates(context_.theta, room_.groups, net_.parameters);
        return crew_.stopped() ? not_a_number() : cost + updates.penalty(numbers);
    }

    bool was_stopped() const { return crew_.stopped(); }

    // Writes A[L] of each example as a row of `out`, and reports inputs that are not finite.
    Outcome forward(T *out) {
        int not_finite = 0;
        crew_.go([&](Member &self) {
            const FlushSubnormals guard;
            const long n_out = net_.layers[net_.count - 1].n_out;
            typename S::V zero = {};
            copy_weights(self);
            each_span(self, [&](const PanelSpan &some) {
                each_panel(some, [&](long panel, long first, long count) {
                    zero += panels_.gather(panel, first, count);
                });
                panels_.forward(some);
                each_panel(some, [&](long panel, long first, long count) {
                    const T *A = panels_.finish(panel, count);
                    for (long i = 0; i < count; ++i) {
                        T *to = out + (first + i) * n_out;
                        for (int j = 0; j < n_out; ++j)
                            to[j] = A[j * room_.ws.ld + i];
                    }
                });
            });
            // `gather` returns the sum of x · 0, which is NaN as soon as one x is not finite: this
            // checks X without another pass over it.
            if (!(S::sum(zero) == T(0))) __atomic_store_n(&not_finite, 1, __ATOMIC_RELAXED);
            crew_.barrier(self);
        });
        if (not_finite) return Outcome::not_finite;
        return crew_.stopped() ? Outcome::stopped : Outcome::done;
    }

  private:
    static double not_a_number() { return __builtin_nan(""); }

    double weight_sum(long first, long count) const {
        if (!examples_.weights) return double(count);
        double sum = 0;
        for (long i = first; i < first + count; ++i)
            sum += panels_.weight_of(i);
        return sum;
    }
    double share_of(long first, long count) const {
        const double sum = weight_sum(first, count);
        return sum > 0 ? 1 / sum : 0;
    }

    // Fills the copies of parameters that layers keep in another layout.
    void begin(Member &self) {
        const long last = room_.groups.first_of(self.index + 1, crew_.threads());
        for (long g = room_.groups.first_of(self.index, crew_.threads()); g < last; ++g)
            Kinds::renew(context_, room_.groups[g]);
        crew_.barrier(self);
    }

    // A training under way.
    struct Run {
        const Training<T> &training;
        Step &step;
        StepRates<T, BYTES> rates;
        Stopping stopping; // of thread 0
        StepNumbers<T> numbers;
        long finished = 0;
    };

    // Takes the steps up to `end`.
    void train_in(Member &self, Run &run, long end) {
        const FlushSubnormals guard;
        const Training<T> &training = run.training;
        const Records &records = training.records;
        const long batch_size = training.batch_size, examples = training.count(examples_);
        const long steps_per_epoch = divided_up(examples, batch_size);
        const long begun = run.finished;
        if (begun == 0) begin(self);
        for (long s = begun; s < end; ++s) {
            const long in_epoch = s % steps_per_epoch * batch_size;
            const long first = s / steps_per_epoch * examples + in_epoch;
            const long count = smaller(batch_size, examples - in_epoch);
            Batch batch{first, count, share_of(first, count),
                        step_noise(training.key, std::uint64_t(training.update.t + s + 1))};
            // The mean is that of the whole batch, of which this rank takes its share.
            if (const Ranks<T> *ranks = training.ranks) {
                batch.before = ranks->first_of(ranks->rank, count);
                batch.first = ranks->examples ? s * ranks->share(batch_size) : first + batch.before;
                batch.count = ranks->share(count);
            }
            // Thread 0 may write `numbers` here: the others read it only between the first barrier
            // inside the step and the barrier below.
            if (self.index == 0) {
                run.rates.next();
                run.numbers = run.rates.numbers(s);
                if (training.objective.shared) { // P3
                    run.numbers.l1 *= T(batch.share);
                    run.numbers.l2 *= T(batch.share);
                }
            }
            if (!run.step.run(self, batch, run.numbers)) return;
            // A step that has begun its updates is always finished, so the result of this barrier
            // is ignored: a stop takes effect at the next step's first barrier.
            crew_.barrier(self);
            if (self.index == 0) {
                records.costs[s] = run.step.cost();
                if (records.penalties) records.penalties[s] = run.step.penalty();
                records.gradient_norms[s] = run.step.gradient_norm();
                run.finished = s + 1;
                const double penalty = records.penalties ? records.penalties[s] : 0;
                const bool ends_epoch = in_epoch + count == examples;
                if (run.stopping.step(records.costs[s], penalty, count, ends_epoch))
                    crew_.wish_stop();
            }
        }
    }

    // Fills the copies of weights that passes without a gradient read, if there are any.
    void copy_weights(Member &self) {
        if constexpr (Kinds::copies) {
            for (int l = 0; l < net_.count; ++l) {
                // Whole rows of tiles, and pairs of them, to each thread.
                const long n = net_.layers[l].n_out, units = divided_up(n, 32);
                const long begin = crew_.first_of(self, units) * 32;
                const long end = smaller(crew_.last_of(self, units) * 32, n);
                if (begin < end) Kinds::renew(context_, Group{l, 0, 2, begin, end, 0, 0, 0, 0});
            }
            crew_.barrier(self);
        }
    }

    // Calls f with spans of panels, each in some thread. Each thread has the arrays of a single
    // span, which it uses for all of its spans in turn.
    template <typename F> void each_span(const Member &self, F &&f) {
        const long together = room_.together, at = self.index * together;
        const double work = Kinds::pass_work(net_, room_.ws.panel_size * together) / 3;
        const long size = room_.ws.panel_size, panels = divided_up(examples_.count, size);
        crew_.distribute(self, divided_up(panels, together), [&](long i) {
            crew_.test_stop(self, work);
            if (crew_.stop_wished()) return false;
            const long q = i * together, many = smaller(together, panels - q);
            const long last = examples_.count - (q + many - 1) * size;
            f(PanelSpan{at, many, smaller(size, last), q * size});
            return true;
        });
    }
    // Calls f(panel, first example, number of examples) for each panel of a span.
    template <typename F> void each_panel(const PanelSpan &some, F &&f) const {
        for (long i = 0; i < some.count; ++i)
            f(some.first + i, some.example + i * room_.ws.panel_size, context_.count(some, i));
    }

    const Network &net_;
    const Examples<T> &examples_;
    const Control &control_;
    const Purpose purpose_;
    Crew crew_;
    Preparation<T, BYTES, Kinds> room_;
    C context_;
    const Panels<T, BYTES, Kinds> panels_;
};

} // namespace chainrule::CHAINRULE_ISA
