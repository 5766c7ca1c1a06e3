// A step in two phases (see docs/performance.md):
//
//   1. By examples: a thread takes whole panels through everything that depends on the example
//      alone: gather, forward (F1, F2), cost, δ of every layer (BP1, BP2, FU1 to FU3).
//   2. By parameters: a thread takes whole groups of rows of W[l] (and b[l]): their gradient over
//      all panels in order (BP3, BP4), then penalty and optimizer on that slice.
//
// No sum is ever split between threads, so the bits of the result do not depend on their number.
#pragma once

#include "activations.hpp"
#include "optimizers.hpp"
#include "outputs.hpp"
#include "subnormals.hpp"
#include "team.hpp"
#include "transpose.hpp"
#include "workspace.hpp"

namespace chainrule::CHAINRULE_ISA {

template <typename T, int BYTES> class Engine {
    using S = Simd<T, BYTES>;
    using P = Products<T, BYTES>;
    using V = typename S::V;
    using Act = Activations<T, BYTES>;
    using Out = Outputs<T, BYTES>;
    using Opt = Optimizers<T, BYTES>;
    using W = Workspace<T, BYTES>;
    static constexpr long chunk = W::chunk;

  public:
    Engine(const Network &net, T *theta, const Examples<T> &examples, const Control &control)
        : net_(net), theta_(theta), examples_(examples), control_(control) {}

    // Panels of a training batch or of a whole pass; false: out of memory.
    bool prepare(long batch, bool training) {
        batch_ = batch;
        training_ = training;
        constexpr long memory_limit = 64L << 20;
        long most = 1L << 40;
        if (training) {
            // What one example takes, roughly; the limit holds unless a single panel exceeds it.
            long elements = 3 * net_.layers[0].n_in;
            for (int l = 0; l < net_.count; ++l)
                elements += 3 * net_.layers[l].n_out;
            most = larger(1, memory_limit / (elements * long(sizeof(T))) / chunk);
        } else {
            most = control_.threads > 0 ? control_.threads : 1;
        }
        if (!ws_.prepare(net_, batch, most, training)) return false;
        const double work = W::step_work(net_, batch);
        threads_ = work < W::thread_work ? 1 : control_.threads;
        if (!training) threads_ = static_cast<int>(smaller(threads_, ws_.panels));
        if (threads_ < 1) threads_ = 1;
        // A long step, or a batch that goes through in several parts, has its whole gradient
        // before its first update: until then it can be given up.
        deferred_ = training && (batch > ws_.panels * ws_.panel_size || work > 2e9);
        if (!training) return true;
        arena_stride_ = rounded_up(ws_.group_elements + 2 * chunk, 64);
        arenas_ = W::template allocate<T>(arena_stride_ * threads_);
        return arenas_ != nullptr;
    }

    bool prepare_gradient(T *given) {
        gradient_ = given;
        if (!deferred_ || given) return true;
        const DenseLayer &last = net_.layers[net_.count - 1];
        owned_gradient_ = W::template allocate<T>(last.b + last.n_out);
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

    bool forward(T *out) {
        out_ = out;
        go([](void *self, int thread) { static_cast<Engine *>(self)->forward_body(thread); });
        return !stopped();
    }

  private:
    long go(void (*body)(void *, int)) {
        Barrier barrier(threads_);
        barrier_ = &barrier;
        last_test_ = now_seconds();
        run_team(threads_, body, this);
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

    T *panel(long q) const { return ws_.memory + q * ws_.panel_stride; }
    long row_of(long i) const { return examples_.order ? examples_.order[i] : i; }

    double weight_sum(long first, long count) const {
        if (!examples_.weights) return double(count);
        double sum = 0;
        for (long i = first; i < first + count; ++i)
            sum += double(examples_.weights[row_of(i)]);
        return sum;
    }

    // A[0] = Xᵀ of a panel's examples, and, for the gradient of W[1], their rows in chunks.
    void gather(T *base, long first, long count) {
        const long n = net_.layers[0].n_in, total = examples_.rows * n;
        T *A = base + ws_.A[0], *At = training_ ? base + ws_.At[0] : nullptr;
        for (long e = 0; e < count; e += S::lanes) {
            const T *row[S::lanes];
            for (int i = 0; i < S::lanes; ++i) {
                row[i] = e + i < count ? examples_.X + row_of(first + e + i) * n : nullptr;
            }
            for (long k = 0; k < n; k += S::lanes) {
                V x[S::lanes];
                for (int i = 0; i < S::lanes; ++i) {
                    if (!row[i]) {
                        x[i] = V{};
                    } else if (row[i] - examples_.X + k + S::lanes <= total) {
                        x[i] = S::load(row[i] + k); // may reach into the next row: never used
                    } else {
                        x[i] = S::load_part(row[i] + k, static_cast<int>(n - k));
                    }
                }
                if (At) {
                    T *to = At + (k / chunk) * ws_.ld * chunk + e * chunk + k % chunk;
                    for (int i = 0; i < S::lanes; ++i)
                        S::store(to + i * chunk, x[i]);
                }
                Transpose<T, BYTES>::block(x);
                const long features = smaller(S::lanes, n - k);
                for (long j = 0; j < features; ++j)
                    S::store(A + (k + j) * ws_.ld + e, x[j]);
            }
        }
    }

    // Aᵀ of a hidden layer, in chunks of columns.
    void turn(const T *A, T *At, long n, long count) {
        for (long k = 0; k < n; k += S::lanes) {
            const long features = smaller(S::lanes, n - k);
            T *to = At + (k / chunk) * ws_.ld * chunk + k % chunk;
            for (long e = 0; e < count; e += S::lanes) {
                V x[S::lanes];
                for (int j = 0; j < S::lanes; ++j) {
                    x[j] = j < features ? S::load(A + (k + j) * ws_.ld + e) : V{};
                }
                Transpose<T, BYTES>::block(x);
                for (int i = 0; i < S::lanes; ++i)
                    S::store(to + (e + i) * chunk, x[i]);
            }
        }
    }

    static void use_packed(Product<T> &product, const T *packed) {
        if (!packed) return;
        product.A = packed;
        product.row_stride = 1;
        product.column_stride = product.interleaved = W::interleaved;
    }

    // F1 and F2 up to the output layer's Z.
    void forward_panel(T *base, long count) {
        const long vectors = divided_up(count, S::lanes);
        for (int l = 1; l <= net_.count; ++l) {
            const DenseLayer &layer = net_.layers[l - 1];
            T *A = base + ws_.A[l];
            Product<T> product{theta_ + layer.W,    layer.n_in, 1,      0,
                               base + ws_.A[l - 1], ws_.ld,     1,      layer.n_in,
                               layer.n_in,          A,          ws_.ld, theta_ + layer.b};
            if (training_) use_packed(product, ws_.packed_W[l - 1]);
            if (layer.activation == relu && l < net_.count) {
                P::template run<store_relu>(product, 0, layer.n_out, vectors);
                continue;
            }
            P::template run<store_biased>(product, 0, layer.n_out, vectors);
            if (l == net_.count || layer.activation == identity) continue;
            if (layer.activation == softmax) {
                for (long v = 0; v < vectors; ++v) {
                    Out::softmax_columns(A + v * S::lanes, layer.n_out, ws_.ld);
                }
            } else {
                Act::apply(layer.activation, A, training_ ? base + ws_.D[l] : nullptr,
                           layer.n_out * ws_.ld, T(layer.parameter));
            }
        }
    }

    // Cost of a panel, Σ w C, and δ[L] scaled by each example's share of the mean.
    double output_panel(T *base, long first, long count, double share) {
        const int n = net_.layers[net_.count - 1].n_out;
        T *Y = base + ws_.Y, *scale = base + ws_.scale, *costs = base + ws_.costs;
        for (long i = 0; i < count; ++i) {
            const long row = row_of(first + i);
            for (int j = 0; j < n; ++j)
                Y[j * ws_.ld + i] = examples_.Y[row * n + j];
            scale[i] = T(share * (examples_.weights ? double(examples_.weights[row]) : 1.0));
        }
        for (long i = count; i < ws_.ld; ++i)
            scale[i] = T(0);
        Out::run(net_, base + ws_.A[net_.count], Y, training_ ? base + ws_.D[net_.count] : nullptr,
                 scale, costs, ws_.ld, divided_up(count, S::lanes));
        double sum = 0;
        for (long i = 0; i < count; ++i) {
            const double w = examples_.weights ? double(examples_.weights[row_of(first + i)]) : 1.0;
            if (w != 0) sum += w * double(costs[i]);
        }
        return sum;
    }

    // BP2 down to layer 1, and the turned activations for BP4.
    void backward_panel(T *base, long count) {
        const long vectors = divided_up(count, S::lanes);
        for (int l = net_.count; l > 1; --l) {
            const DenseLayer &layer = net_.layers[l - 1];
            const int below = net_.layers[l - 2].activation;
            T *A = base + ws_.A[l - 1], *D = base + ws_.D[l - 1];
            Product<T> product{theta_ + layer.W, 1,      layer.n_in, 0,
                               base + ws_.D[l],  ws_.ld, 1,          layer.n_out,
                               layer.n_out,      D,      ws_.ld,     A};
            use_packed(product, ws_.packed_Wt[l - 1]);
            if (below == relu) {
                P::template run<relu_masked>(product, 0, layer.n_in, vectors);
            } else if (below == identity || below == softmax) {
                P::template run<store_plain>(product, 0, layer.n_in, vectors);
                if (below == softmax) Out::softmax_error(D, A, layer.n_in, ws_.ld, vectors);
            } else {
                P::template run<times_derivative>(product, 0, layer.n_in, vectors);
            }
            turn(A, base + ws_.At[l - 1], layer.n_in, count);
        }
    }

    // BP4 and BP3 of a group over `panels` panels: rows of W, then their b, to `out`.
    void group_gradient(const Group &group, long panels, long last_count, T *out) const {
        const DenseLayer &layer = net_.layers[group.layer];
        const long rows = group.end - group.begin, n = layer.n_in;
        const T *delta = panel(0) + ws_.D[group.layer + 1] + group.begin * ws_.ld;
        // The last chunk first: what its last vector writes past a row's end is the beginning of
        // the next row, which chunk 0 then writes over.
        const long chunks = divided_up(n, chunk);
        for (long i = 0; i < chunks; ++i) {
            const long c = i ? i - 1 : chunks - 1;
            const T *B = panel(0) + ws_.At[group.layer] + c * ws_.ld * chunk;
            const Product<T> product{delta,      ws_.ld,          1,      ws_.panel_stride,
                                     B,          chunk,           panels, ws_.panel_size,
                                     last_count, out + c * chunk, n,      nullptr};
            P::template run<store_plain>(product, 0, rows,
                                         divided_up(smaller(chunk, n - c * chunk), S::lanes));
        }
        for (long r = 0; r < rows; ++r) {
            V sum = V{};
            for (long q = 0; q < panels; ++q) {
                const T *d = delta + q * ws_.panel_stride + r * ws_.ld;
                const long count = q + 1 < panels ? ws_.panel_size : last_count;
                for (long e = 0; e < count; e += S::lanes)
                    sum += S::load(d + e);
            }
            out[rows * n + r] = S::sum(sum);
        }
    }

    // Penalty and optimizer on a group whose gradient lies at gW and gb.
    double group_update(const Group &group, const T *gW, const T *gb) {
        const DenseLayer &layer = net_.layers[group.layer];
        const long rows = group.end - group.begin, n = layer.n_in;
        const bool whole = rows == layer.n_out && gb == gW + rows * n;
        const bool penalised = numbers_.l1 != T(0) || numbers_.l2 != T(0);
        const long W = layer.W + group.begin * n, b = layer.b + group.begin;
        if (whole && !penalised) return slice_update(W, gW, rows * n + rows, false);
        return slice_update(W, gW, rows * n, true) + slice_update(b, gb, rows, false);
    }

    // The packed copies of this thread's groups, from the present parameters.
    void pack(int thread) {
        long begin, end;
        my_groups(thread, begin, end);
        for (long g = begin; g < end; ++g)
            ws_.pack(net_, theta_, ws_.groups[g]);
    }

    double slice_update(long at, const T *g, long count, bool weights) {
        T *const *slots = update_->slots;
        return Opt::run(update_->kind, theta_ + at, g, slots[0] ? slots[0] + at : nullptr,
                        slots[1] ? slots[1] + at : nullptr, count, numbers_, weights);
    }

    // Phase 1 of the panels that are this thread's, of the `panels` that begin at example `first`.
    void examples_phase(int thread, long first, long count, double share, long first_panel) {
        const long panels = divided_up(count, ws_.panel_size);
        const double work = W::step_work(net_, ws_.panel_size);
        for (long q = panels * thread / threads_; q < panels * (thread + 1) / threads_; ++q) {
            test_stop(thread, work);
            if (stop_wished()) break;
            const long at = q * ws_.panel_size, n = smaller(ws_.panel_size, count - at);
            gather(panel(q), first + at, n);
            forward_panel(panel(q), n);
            ws_.panel_costs[first_panel + q] = output_panel(panel(q), first + at, n, share);
            backward_panel(panel(q), n);
        }
    }

    // The groups of a thread: about its share of the elements.
    void my_groups(int thread, long &begin, long &end) const {
        begin = boundary(thread);
        end = boundary(thread + 1);
    }
    long boundary(int thread) const {
        if (thread <= 0) return 0;
        if (thread >= threads_) return ws_.group_count;
        double total = 0;
        for (long g = 0; g < ws_.group_count; ++g)
            total += elements(g);
        double seen = 0;
        for (long g = 0; g < ws_.group_count; ++g) {
            if ((seen += elements(g)) > total * thread / threads_) return g;
        }
        return ws_.group_count;
    }
    double elements(long g) const {
        const Group &group = ws_.groups[g];
        return double(group.end - group.begin) * net_.layers[group.layer].n_in;
    }

    // Phases 1 and 2 of one batch; whole gradients go to gradient_ where deferred_.
    // False: stopped before anything was updated.
    bool batch_step(int thread, Sync &sync, long first, long count) {
        const double sum = weight_sum(first, count), share = sum > 0 ? 1 / sum : 0;
        const long block = ws_.panels * ws_.panel_size;
        T *arena = arenas_ + thread * arena_stride_;
        long begin, end;
        my_groups(thread, begin, end);
        for (long at = 0; at < count; at += block) {
            const long n = smaller(block, count - at), panels = divided_up(n, ws_.panel_size);
            examples_phase(thread, first + at, n, share, at / ws_.panel_size);
            if (!together(thread, sync)) return false;
            const long last = n - (panels - 1) * ws_.panel_size;
            for (long g = begin; g < end; ++g) {
                const Group &group = ws_.groups[g];
                if (deferred_) {
                    test_stop(thread, elements(g) * n);
                    if (stop_wished()) break;
                }
                group_gradient(group, panels, last, arena);
                if (deferred_) {
                    keep(group, arena, at == 0);
                } else if (update_) {
                    const long rows = group.end - group.begin;
                    const T *gb = arena + rows * net_.layers[group.layer].n_in;
                    ws_.group_squares[g] = group_update(group, arena, gb);
                    ws_.pack(net_, theta_, group);
                } else {
                    keep(group, arena, true);
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
        if (deferred_ && update_) {
            for (long g = begin; g < end; ++g) {
                const Group &group = ws_.groups[g];
                const DenseLayer &layer = net_.layers[group.layer];
                ws_.group_squares[g] =
                    group_update(group, gradient_ + layer.W + group.begin * layer.n_in,
                                 gradient_ + layer.b + group.begin);
                ws_.pack(net_, theta_, group);
            }
        }
        return true;
    }

    void keep(const Group &group, const T *arena, bool fresh) {
        const DenseLayer &layer = net_.layers[group.layer];
        const long rows = group.end - group.begin, n = rows * layer.n_in;
        T *W = gradient_ + layer.W + group.begin * layer.n_in,
          *b = gradient_ + layer.b + group.begin;
        for (long i = 0; i < n; ++i)
            W[i] = fresh ? arena[i] : W[i] + arena[i];
        for (long r = 0; r < rows; ++r)
            b[r] = fresh ? arena[n + r] : b[r] + arena[n + r];
    }

    void train_body(int thread) {
        const FlushSubnormals guard;
        Sync sync;
        const long steps_per_epoch = divided_up(examples_.count, batch_);
        const long steps = steps_per_epoch * examples_.epochs;
        StepRates rates(*update_);
        pack(thread);
        together(thread, sync);
        for (long step = 0; step < steps; ++step) {
            rates.next();
            if (thread == 0) numbers_ = rates.template numbers<T>(step);
            // Between batch_step's first barrier and the one below, numbers_ is only read.
            const long in_epoch = step % steps_per_epoch * batch_;
            const long first = step / steps_per_epoch * examples_.count + in_epoch;
            if (!batch_step(thread, sync, first, smaller(batch_, examples_.count - in_epoch)))
                return;
            together(thread, sync);
            if (thread == 0) {
                double squares = 0;
                for (long g = 0; g < ws_.group_count; ++g)
                    squares += ws_.group_squares[g];
                costs_[step] = cost_;
                norms_[step] = __builtin_sqrt(squares);
                steps_ = step + 1;
            }
        }
    }

    void gradient_body(int thread) {
        const FlushSubnormals guard;
        Sync sync;
        pack(thread);
        together(thread, sync);
        if (!batch_step(thread, sync, 0, examples_.count)) return;
        if (!together(thread, sync) || thread != 0) return;
        for (int l = 0; l < net_.count; ++l) {
            const DenseLayer &layer = net_.layers[l];
            Opt::add_penalties(gradient_ + layer.W, theta_ + layer.W,
                               long(layer.n_in) * layer.n_out, numbers_);
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
            gather(panel(thread), at, n);
            forward_panel(panel(thread), n);
            ws_.panel_costs[q] = output_panel(panel(thread), at, n, 0);
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
        const DenseLayer &last = net_.layers[net_.count - 1];
        const double work = W::step_work(net_, ws_.panel_size) / 3;
        const long panels = divided_up(examples_.count, ws_.panel_size);
        T *base = panel(thread), *A = base + ws_.A[net_.count];
        for (long q = panels * thread / threads_; q < panels * (thread + 1) / threads_; ++q) {
            test_stop(thread, work);
            if (stop_wished()) break;
            const long at = q * ws_.panel_size, n = smaller(ws_.panel_size, examples_.count - at);
            gather(base, at, n);
            forward_panel(base, n);
            if (last.activation == softmax) {
                for (long e = 0; e < n; e += S::lanes)
                    Out::softmax_columns(A + e, last.n_out, ws_.ld);
            } else {
                Act::apply(last.activation, A, nullptr, last.n_out * ws_.ld, T(last.parameter));
            }
            for (long i = 0; i < n; ++i) {
                T *to = out_ + (at + i) * last.n_out;
                for (int j = 0; j < last.n_out; ++j)
                    to[j] = A[j * ws_.ld + i];
            }
        }
        together(thread, sync);
    }

    double penalty(const StepNumbers<T> &numbers) const {
        if (numbers.l1 == T(0) && numbers.l2 == T(0)) return 0;
        double sum = 0;
        for (int l = 0; l < net_.count; ++l) {
            const DenseLayer &layer = net_.layers[l];
            for (long i = 0; i < long(layer.n_in) * layer.n_out; ++i) {
                const double w = double(theta_[layer.W + i]);
                sum += 0.5 * double(numbers.l2) * w * w + double(numbers.l1) * (w < 0 ? -w : w);
            }
        }
        return sum;
    }

    // α and Adam's corrections, step by step. A power βᵗ is a running product that starts afresh
    // from pow at every 64th t: a function of t alone, wherever a call begins.
    class StepRates {
      public:
        explicit StepRates(const Update<T> &update) : update_(update), t_(update.t / 64 * 64) {
            restart();
            while (t_ < update.t)
                next();
        }
        void next() {
            ++t_;
            power_1_ *= update_.beta_1;
            power_2_ *= update_.beta_2;
            if (t_ % 64 == 0) restart();
        }
        template <typename U> StepNumbers<U> numbers(long step) const {
            double rate = update_.learning_rates[step], epsilon = update_.epsilon;
            if (update_.kind == adam) {
                const double root = __builtin_sqrt(1 - power_2_);
                rate *= root / (1 - power_1_);
                epsilon *= root;
            }
            return {U(rate),           U(update_.beta_1),     U(1 - update_.beta_1),
                    U(update_.beta_2), U(1 - update_.beta_2), U(epsilon),
                    U(update_.l1),     U(update_.l2)};
        }

      private:
        void restart() {
            power_1_ = __builtin_pow(update_.beta_1, double(t_));
            power_2_ = __builtin_pow(update_.beta_2, double(t_));
        }
        const Update<T> &update_;
        std::int64_t t_;
        double power_1_, power_2_;
    };

    const Network &net_;
    T *theta_;
    const Examples<T> &examples_;
    const Control &control_;
    W ws_;
    long batch_ = 0;
    bool training_ = false, deferred_ = false;
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
    int stop_wished_ = 0;
};

} // namespace chainrule::CHAINRULE_ISA
