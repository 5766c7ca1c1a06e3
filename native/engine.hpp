// A step in two phases (see docs/performance.md):
//
//   1. By examples: a thread takes whole panels through everything that depends on the example
//      alone: gather, forward (F1, F2), cost, δ of every layer (BP1, BP2, FU1 to FU3).
//   2. By parameters: a thread takes whole groups of rows of W[l] (and b[l]): their gradient over
//      all panels in order (BP3, BP4), then penalty and optimizer on that slice.
//
// Where layers ask what the whole batch is like (batch normalisation), the first phase goes in
// segments with barriers between them.
//
// No sum is ever split between threads, so the bits of the result do not depend on their number.
#pragma once

#include "groups.hpp"
#include "panels.hpp"
#include "rates.hpp"
#include "subnormals.hpp"
#include "team.hpp"

namespace chainrule::CHAINRULE_ISA {

// `DenseKind`: how dense layers multiply (layers/).
template <typename T, int BYTES, typename DenseKind = Dense<T, BYTES>> class Engine {
    using Opt = Optimizers<T, BYTES>;
    using S = Simd<T, BYTES>;
    using W = Workspace<T, BYTES>;
    using C = Context<T, BYTES>;
    using Kinds = Table<T, BYTES, DenseKind>;
    static constexpr long chunk = W::chunk;

  public:
    // `training`: with gradients; `stepping`: for `train`.
    Engine(const Network &net, T *theta, const Examples<T> &examples, const Control &control,
           bool training, bool stepping = false)
        : net_(net), theta_(theta), examples_(examples), control_(control), training_(training),
          context_{net, theta, ws_, training, stepping}, panels_(context_, examples),
          groups_(context_) {
        for (int l = 0; stepping && l < net.count; ++l)
            normalized_ |= net.layers[l].kind == batch_norm;
    }

    // Memory for a training batch or for a whole pass; false: there is not enough. How it is done
    // depends on `usual_batch` alone, so that an epoch in pieces has the same bits.
    bool prepare(long batch, long usual_batch) {
        batch_ = batch;
        ws_.usual_batch = usual_batch;
        constexpr long memory_limit = 64L << 20;
        long most = 1L << 40;
        if (normalized_) {
            // Every panel waits for all others' sums, so all of a batch is in memory.
        } else if (training_) {
            // What one example takes, roughly; the limit holds unless a single panel exceeds it.
            long elements = 3 * net_.layers[0].n_in;
            for (int l = 0; l < net_.count; ++l)
                elements += 3 * net_.layers[l].n_out;
            most = larger(1, memory_limit / (elements * long(sizeof(T))) / chunk);
        } else {
            most = larger(1, larger(control_.threads, -control_.threads));
        }
        if (!ws_.template prepare<Kinds>(net_, batch, most, training_)) return false;
        const double work = W::step_work(net_, batch) + (training_ ? W::table_work(net_) : 0.0);
        threads_ = control_.threads > 0    ? control_.threads
                   : work < W::thread_work ? 1
                                           : -control_.threads;
        if (!training_) threads_ = static_cast<int>(smaller(threads_, ws_.panels));
        if (threads_ < 1) threads_ = 1;
        // Panels go through a wide layer together, so that its weights are read once for all.
        block_ = 1;
        if (widest_weights() > 1L << 16) {
            block_ = smaller(8, training_ ? divided_up(ws_.panels, threads_) : 1);
        }
        // A long step, or a batch that goes through in several parts, has its whole gradient
        // before its first update: until then it can be given up. So has one whose norm is clipped.
        deferred_ = training_ && (batch > ws_.panels * ws_.panel_size || work > 2e9);
        if (!training_) return true;
        arena_stride_ = rounded_up(ws_.group_elements + 2 * chunk, 64);
        arenas_ = allocate<T>(arena_stride_ * threads_);
        return arenas_ != nullptr;
    }

    bool prepare_costs() { return ws_.prepare_costs(batch_); }

    // Before prepare_gradient: every step's gradient is wanted whole.
    void need_whole_gradient() { deferred_ = true; }

    bool prepare_gradient(T *given) {
        gradient_ = given;
        if (!deferred_ || given) return true;
        owned_gradient_ = allocate<T>(net_.parameters);
        gradient_ = owned_gradient_;
        return gradient_ != nullptr;
    }

    ~Engine() {
        std::free(arenas_);
        std::free(owned_gradient_);
    }

    long train(const Update<T> &update, double *costs, double *norms) {
        update_ = &update;
        costs_ = costs;
        norms_ = norms;
        return go([](void *self, int thread) { static_cast<Engine *>(self)->train_body(thread); });
    }

    // J + penalties over all examples; NaN where it was stopped.
    double loss_and_gradient(const StepNumbers<T> &numbers) {
        numbers_ = numbers;
        go([](void *self, int thread) { static_cast<Engine *>(self)->gradient_body(thread); });
        return stopped() ? not_a_number() : cost_ + penalty(numbers);
    }

    double loss(const StepNumbers<T> &numbers) {
        go([](void *self, int thread) { static_cast<Engine *>(self)->loss_body(thread); });
        return stopped() ? not_a_number() : cost_ + penalty(numbers);
    }

    bool was_stopped() const { return stopped(); }

    Outcome forward(T *out) {
        out_ = out;
        go([](void *self, int thread) { static_cast<Engine *>(self)->forward_body(thread); });
        if (__atomic_load_n(&not_finite_, __ATOMIC_RELAXED)) return Outcome::not_finite;
        return stopped() ? Outcome::stopped : Outcome::done;
    }

  private:
    long go(void (*body)(void *, int)) {
        Crew crew(threads_);
        threads_ = crew.threads(); // fewer give the same bits
        Barrier barrier(threads_);
        barrier_ = &barrier;
        last_test_ = now_seconds();
        crew.run(body, this);
        return steps_;
    }

    static double not_a_number() { return __builtin_nan(""); }

    // Thread 0 asks the caller about every 20 ms; the clock is read once in some 100 µs of work.
    void test_stop(int thread, double work) {
        if (thread != 0 || (work_since_test_ += work) < 5e6) return;
        work_since_test_ = 0;
        const double now = now_seconds();
        if (now - last_test_ < 0.02) return;
        last_test_ = now;
        if (control_.stop_test && control_.stop_test(control_.stop_context)) {
            __atomic_store_n(&stop_wished_, 1, __ATOMIC_RELAXED);
        }
    }
    bool stop_wished() const { return __atomic_load_n(&stop_wished_, __ATOMIC_RELAXED) != 0; }
    bool stopped() const { return __atomic_load_n(&stop_at_, __ATOMIC_RELAXED) < never; }

    // A thread's count of the barriers it has passed.
    struct Sync {
        long passed = 0;
    };

    // Wait for all threads. False: all of them stop here. Thread 0 says at which barrier, so that
    // one that reads late does not take a later wish for this one.
    bool together(int thread, Sync &sync) {
        if (thread == 0 && stop_wished() && !stopped()) {
            __atomic_store_n(&stop_at_, sync.passed, __ATOMIC_RELAXED);
        }
        barrier_->wait();
        return __atomic_load_n(&stop_at_, __ATOMIC_RELAXED) > sync.passed++;
    }

    long widest_weights() const {
        long most = 0;
        for (int l = 0; l < net_.count; ++l)
            if (net_.layers[l].kind == dense)
                most = larger(most, long(net_.layers[l].n_in) * net_.layers[l].n_out);
        return most;
    }

    double weight_sum(long first, long count) const {
        if (!examples_.weights) return double(count);
        double sum = 0;
        for (long i = first; i < first + count; ++i)
            sum += panels_.weight_of(i);
        return sum;
    }

    void my_groups(int thread, long &begin, long &end) const {
        begin = groups_.first_of(thread, threads_);
        end = groups_.first_of(thread + 1, threads_);
    }

    // The packed copies of this thread's groups, from the present parameters.
    void pack(int thread) {
        long begin, end;
        my_groups(thread, begin, end);
        for (long g = begin; g < end; ++g)
            Kinds::renew(context_, ws_.groups[g]);
    }

    // Calls f with each block of panels that are this thread's, of the `count` examples that begin
    // at the batch's example `at`.
    template <typename F>
    void each_block(int thread, long at, long count, std::uint64_t noise, double work, F &&f) {
        const long panels = divided_up(count, ws_.panel_size);
        const long end = panels * (thread + 1) / threads_;
        for (long q = panels * thread / threads_; q < end; q += block_) {
            test_stop(thread, work);
            if (stop_wished()) break;
            const long many = smaller(block_, end - q), last = (q + many - 1) * ws_.panel_size;
            f(Block{q, many, smaller(ws_.panel_size, count - last), at + q * ws_.panel_size,
                    noise});
        }
    }

    // Calls f with each panel of a block, its first example in the order, and how many it has.
    template <typename F> void each_panel(const Block &b, long first, F &&f) {
        for (long i = 0; i < b.panels; ++i)
            f(b.first + i, first + b.example + i * ws_.panel_size, context_.count(b, i));
    }

    void output(const Block &b, long first, double share) {
        const long ahead = b.example / ws_.panel_size - b.first; // panels of the parts before
        each_panel(b, first, [&](long panel, long example, long size) {
            ws_.panel_costs[ahead + panel] = panels_.output(panel, example, size, share);
        });
    }

    // Phase 1 of the panels that are this thread's; the batch begins at `first`.
    void examples_phase(int thread, long first, long at, long count, double share,
                        std::uint64_t noise) {
        const double work = W::step_work(net_, ws_.panel_size * block_);
        each_block(thread, at, count, noise, work, [&](const Block &b) {
            each_panel(b, first, [&](long panel, long example, long size) {
                panels_.gather(panel, example, size);
            });
            panels_.forward(b);
            output(b, first, share);
            panels_.backward(b);
        });
    }

    // The units of a layer of batch normalisation that are this thread's.
    template <typename F> void my_units(int thread, int l, F &&f) {
        const long n = net_.layers[l - 1].n_out;
        f(n * thread / threads_, n * (thread + 1) / threads_);
    }

    // The next layer of batch normalisation above or below l; where there is none, L + 1 or 0.
    int normalization(int l, int step) const {
        do
            l += step;
        while (l >= 1 && l <= net_.count && net_.layers[l - 1].kind != batch_norm);
        return l;
    }

    // Phase 1 where layers ask what the whole batch is like: in segments between those layers.
    // False: stopped.
    bool segmented_phase(int thread, Sync &sync, long first, long count, double share,
                         std::uint64_t noise) {
        using Norm = BatchNorm<T, BYTES>;
        const int L = net_.count;
        const long panels = divided_up(count, ws_.panel_size);
        const long last = count - (panels - 1) * ws_.panel_size;
        const double work = W::step_work(net_, ws_.panel_size * block_) / 4;
        each_block(thread, 0, count, noise, work, [&](const Block &b) {
            each_panel(b, first, [&](long panel, long example, long size) {
                panels_.gather(panel, example, size);
                panels_.shares(panel, example, size, share);
            });
        });
        int l = 0;
        for (int next = normalization(0, 1); next <= L; l = next, next = normalization(next, 1)) {
            each_block(thread, 0, count, noise, work,
                       [&](const Block &b) { panels_.forward(b, larger(l, 1), next - 1); });
            if (!together(thread, sync)) return false;
            my_units(thread, next, [&](long begin, long end) {
                Norm::statistics(context_, next, begin, end, panels, last);
            });
            if (!together(thread, sync)) return false;
        }
        each_block(thread, 0, count, noise, work, [&](const Block &b) {
            panels_.forward(b, l, L);
            output(b, first, share);
            panels_.backward(b, L, l + 1);
        });
        for (; l >= 1; l = normalization(l, -1)) {
            if (!together(thread, sync)) return false;
            my_units(thread, l, [&](long begin, long end) {
                Norm::errors(context_, l, begin, end, panels, last);
            });
            if (!together(thread, sync)) return false;
            const int below = normalization(l, -1);
            each_block(thread, 0, count, noise, work,
                       [&](const Block &b) { panels_.backward(b, l, below + 1); });
        }
        return true;
    }

    // Phases 1 and 2 of one batch; whole gradients go to gradient_ where deferred_.
    // False: stopped before anything was updated.
    bool batch_step(int thread, Sync &sync, long first, long count, std::uint64_t noise) {
        const double sum = weight_sum(first, count), share = sum > 0 ? 1 / sum : 0;
        const long block = ws_.panels * ws_.panel_size;
        T *arena = arenas_ + thread * arena_stride_;
        long begin, end;
        my_groups(thread, begin, end);
        for (long at = 0; at < count; at += block) {
            const long n = smaller(block, count - at), panels = divided_up(n, ws_.panel_size);
            if (!normalized_) {
                examples_phase(thread, first, at, n, share, noise);
            } else if (!segmented_phase(thread, sync, first, count, share, noise)) {
                return false;
            }
            if (!together(thread, sync)) return false;
            const long last = n - (panels - 1) * ws_.panel_size;
            for (long g = begin; g < end; ++g) {
                const Group &group = ws_.groups[g];
                if (deferred_) {
                    test_stop(thread, groups_.elements(g) * n);
                    if (stop_wished()) break;
                }
                Kinds::gradient(context_, group, panels, last, arena);
                if (deferred_) {
                    groups_.keep(group, arena, gradient_, at == 0);
                } else if (update_) {
                    const T *gb = arena + groups_.slices(group).weights;
                    note_penalty(g);
                    ws_.group_squares[g] = groups_.update(group, *update_, numbers_, arena, gb);
                    Kinds::renew(context_, group);
                    if (share > 0) Kinds::follow(context_, group);
                } else {
                    groups_.keep(group, arena, gradient_, true);
                }
            }
            if (deferred_ && !together(thread, sync)) return false;
        }
        if (thread == 0) {
            cost_ = 0;
            const long panels = divided_up(count, ws_.panel_size);
            for (long q = 0; q < panels; ++q)
                cost_ += ws_.panel_costs[q];
            cost_ *= share;
        }
        if (!deferred_ || !update_) return true;
        StepNumbers<T> numbers = numbers_;
        const bool clipped = update_->max_norm > 0; // G1
        if (clipped) {
            for (long g = begin; g < end; ++g)
                ws_.group_squares[g] = groups_.squares(ws_.groups[g], gradient_, numbers_);
            if (!together(thread, sync)) return false;
            const double norm = gradient_norm();
            if (norm > update_->max_norm) numbers.scale = T(update_->max_norm / norm);
        }
        for (long g = begin; g < end; ++g) {
            const Group &group = ws_.groups[g];
            const auto s = groups_.slices(group);
            note_penalty(g);
            const double squares =
                groups_.update(group, *update_, numbers, gradient_ + s.W, gradient_ + s.b);
            // Where the norm was needed before, another thread may be reading it just now.
            if (!clipped) ws_.group_squares[g] = squares;
            Kinds::renew(context_, group);
            if (share > 0) Kinds::follow(context_, group);
        }
        return true;
    }

    // Before a group's update, where somebody wants to know.
    void note_penalty(long g) {
        if (update_->penalties) ws_.group_penalties[g] = penalty(ws_.groups[g], numbers_);
    }
    double step_penalty() const {
        double sum = 0;
        for (long g = 0; g < ws_.group_count; ++g)
            sum += ws_.group_penalties[g];
        return sum;
    }

    double gradient_norm() const {
        double squares = 0;
        for (long g = 0; g < ws_.group_count; ++g)
            squares += ws_.group_squares[g];
        return __builtin_sqrt(squares);
    }

    void train_body(int thread) {
        const FlushSubnormals guard;
        Sync sync;
        const long steps_per_epoch = divided_up(examples_.count, batch_);
        const long steps = steps_per_epoch * examples_.epochs;
        StepRates<T> rates(*update_);
        pack(thread);
        together(thread, sync);
        for (long step = 0; step < steps; ++step) {
            rates.next();
            const auto noise = step_noise(update_->key, std::uint64_t(update_->t + step + 1));
            const long in_epoch = step % steps_per_epoch * batch_;
            const long first = step / steps_per_epoch * examples_.count + in_epoch;
            const long count = smaller(batch_, examples_.count - in_epoch);
            // Between batch_step's first barrier and the one below, numbers_ and θ are only read.
            if (thread == 0) {
                numbers_ = rates.numbers(step);
                if (update_->divided) { // P3
                    const double sum = weight_sum(first, count), share = sum > 0 ? 1 / sum : 0;
                    numbers_.l1 *= T(share);
                    numbers_.l2 *= T(share);
                }
            }
            if (!batch_step(thread, sync, first, count, noise)) return;
            together(thread, sync);
            if (thread == 0) {
                costs_[step] = cost_;
                if (update_->penalties) update_->penalties[step] = step_penalty();
                norms_[step] = gradient_norm();
                steps_ = step + 1;
            }
        }
    }

    void gradient_body(int thread) {
        const FlushSubnormals guard;
        Sync sync;
        pack(thread);
        together(thread, sync);
        if (!batch_step(thread, sync, 0, examples_.count, 0)) return;
        if (!together(thread, sync) || thread != 0) return;
        for (long g = 0; g < ws_.group_count; ++g) {
            const auto s = groups_.slices(ws_.groups[g]);
            Opt::add_penalties(gradient_ + s.W, theta_ + s.W, s.weights, numbers_);
        }
    }

    void loss_body(int thread) {
        const FlushSubnormals guard;
        Sync sync;
        const double work = W::step_work(net_, ws_.panel_size) / 3;
        const long panels = divided_up(examples_.count, ws_.panel_size);
        for (long q = panels * thread / threads_; q < panels * (thread + 1) / threads_; ++q) {
            test_stop(thread, work);
            if (stop_wished()) break;
            const long at = q * ws_.panel_size, n = smaller(ws_.panel_size, examples_.count - at);
            panels_.gather(thread, at, n);
            panels_.forward({thread, 1, n, at});
            ws_.panel_costs[q] = panels_.output(thread, at, n, 0);
        }
        if (!together(thread, sync) || thread != 0) return;
        const double sum = weight_sum(0, examples_.count);
        cost_ = 0;
        for (long q = 0; q < panels; ++q)
            cost_ += ws_.panel_costs[q];
        cost_ = sum > 0 ? cost_ / sum : 0;
    }

    void forward_body(int thread) {
        const FlushSubnormals guard;
        Sync sync;
        const long n_out = net_.layers[net_.count - 1].n_out;
        const double work = W::step_work(net_, ws_.panel_size) / 3;
        const long panels = divided_up(examples_.count, ws_.panel_size);
        typename S::V zero = {};
        for (long q = panels * thread / threads_; q < panels * (thread + 1) / threads_; ++q) {
            test_stop(thread, work);
            if (stop_wished()) break;
            const long at = q * ws_.panel_size, n = smaller(ws_.panel_size, examples_.count - at);
            zero += panels_.gather(thread, at, n);
            panels_.forward({thread, 1, n, at});
            const T *A = panels_.finish(thread, n);
            for (long i = 0; i < n; ++i) {
                T *to = out_ + (at + i) * n_out;
                for (int j = 0; j < n_out; ++j)
                    to[j] = A[j * ws_.ld + i];
            }
        }
        if (!(S::sum(zero) == T(0))) __atomic_store_n(&not_finite_, 1, __ATOMIC_RELAXED);
        together(thread, sync);
    }

    // P1 and P2 of the weights that are a group's, before its update. (Not inlined: the step around
    // it is better code without it.)
    __attribute__((noinline)) double penalty(const Group &group,
                                             const StepNumbers<T> &numbers) const {
        const Layer &layer = net_.layers[group.layer];
        if (layer.kind != dense) return 0;
        const long n = layer.n_in;
        return Opt::penalty(theta_ + layer.begin + group.begin * n, (group.end - group.begin) * n,
                            numbers);
    }

    // Of all weights, with the same bits: by groups.
    double penalty(const StepNumbers<T> &numbers) const {
        if (numbers.l1 == T(0) && numbers.l2 == T(0)) return 0;
        double sum = 0;
        for (int l = 0; l < net_.count; ++l) {
            if (net_.layers[l].kind != dense) continue;
            const long n = net_.layers[l].n_out, units = W::group_units(net_.layers[l]);
            for (long r = 0; r < n; r += units)
                sum += penalty(Group{l, r, smaller(r + units, n)}, numbers);
        }
        return sum;
    }

    const Network &net_;
    T *theta_;
    const Examples<T> &examples_;
    const Control &control_;
    const bool training_;
    W ws_;
    C context_;
    const Panels<T, BYTES, Kinds> panels_;
    const Groups<T, BYTES> groups_;
    long batch_ = 0, block_ = 1;
    bool deferred_ = false, normalized_ = false; // normalized_: batches have statistics
    int threads_ = 1;
    T *arenas_ = nullptr, *gradient_ = nullptr, *owned_gradient_ = nullptr, *out_ = nullptr;
    long arena_stride_ = 0;
    const Update<T> *update_ = nullptr;
    StepNumbers<T> numbers_{};
    double *costs_ = nullptr, *norms_ = nullptr;
    Barrier *barrier_ = nullptr;
    double cost_ = 0, last_test_ = 0, work_since_test_ = 0;
    long steps_ = 0;
    static constexpr long never = 1L << 62;
    long stop_at_ = never;
    int stop_wished_ = 0, not_finite_ = 0;
};

} // namespace chainrule::CHAINRULE_ISA
