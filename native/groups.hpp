// Phase 2 of a step: the gradient of a group of rows over all panels, and its update.
#pragma once

#include "optimizers.hpp"
#include "workspace.hpp"

namespace chainrule::CHAINRULE_ISA {

template <typename T, int BYTES> class Groups {
    using S = Simd<T, BYTES>;
    using P = Products<T, BYTES>;
    using V = typename S::V;
    using Opt = Optimizers<T, BYTES>;
    using W = Workspace<T, BYTES>;
    static constexpr long chunk = W::chunk;

  public:
    Groups(const Network &net, T *theta, W &workspace) : net_(net), theta_(theta), ws_(workspace) {}

    // BP4 and BP3 of a group over `panels` panels: rows of W, then their b, to `out`.
    void gradient(const Group &group, long panels, long last_count, T *out) const {
        const DenseLayer &layer = net_.layers[group.layer];
        const long rows = group.end - group.begin, n = layer.n_in;
        const T *delta = ws_.memory + ws_.D[group.layer + 1] + group.begin * ws_.ld;
        // The last chunk first: what its last vector writes past a row's end is the beginning of
        // the next row, which chunk 0 then writes over.
        const long chunks = divided_up(n, chunk);
        for (long i = 0; i < chunks; ++i) {
            const long c = i ? i - 1 : chunks - 1;
            const T *B = ws_.memory + ws_.At[group.layer] + c * ws_.ld * chunk;
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
    double update(const Group &group, const Update<T> &update, const StepNumbers<T> &numbers,
                  const T *gW, const T *gb) const {
        const DenseLayer &layer = net_.layers[group.layer];
        const long rows = group.end - group.begin, n = layer.n_in;
        const bool whole = rows == layer.n_out && gb == gW + rows * n;
        const bool penalised = numbers.l1 != T(0) || numbers.l2 != T(0) || numbers.decay != T(0);
        const long W = layer.W + group.begin * n, b = layer.b + group.begin;
        if (whole && !penalised) return slice(update, numbers, W, gW, rows * n + rows, false);
        return slice(update, numbers, W, gW, rows * n, true) +
               slice(update, numbers, b, gb, rows, false);
    }

    // Put a group's gradient into the whole one, or add it there.
    void keep(const Group &group, const T *arena, T *gradient, bool fresh) const {
        const DenseLayer &layer = net_.layers[group.layer];
        const long rows = group.end - group.begin, n = rows * layer.n_in;
        T *W = gradient + layer.W + group.begin * layer.n_in, *b = gradient + layer.b + group.begin;
        for (long i = 0; i < n; ++i)
            W[i] = fresh ? arena[i] : W[i] + arena[i];
        for (long r = 0; r < rows; ++r)
            b[r] = fresh ? arena[n + r] : b[r] + arena[n + r];
    }

    double elements(long g) const {
        const Group &group = ws_.groups[g];
        return double(group.end - group.begin) * net_.layers[group.layer].n_in;
    }

    // The first group of a thread: each has about its share of the elements.
    long first_of(int thread, int threads) const {
        if (thread <= 0) return 0;
        double total = 0, seen = 0;
        for (long g = 0; g < ws_.group_count; ++g)
            total += elements(g);
        for (long g = 0; g < ws_.group_count && thread < threads; ++g) {
            if ((seen += elements(g)) > total * thread / threads) return g;
        }
        return ws_.group_count;
    }

  private:
    double slice(const Update<T> &update, const StepNumbers<T> &numbers, long at, const T *g,
                 long count, bool weights) const {
        T *const *slots = update.slots;
        return Opt::run(update.kind, theta_ + at, g, slots[0] ? slots[0] + at : nullptr,
                        slots[1] ? slots[1] + at : nullptr, count, numbers, weights);
    }

    const Network &net_;
    T *theta_;
    W &ws_;
};

} // namespace chainrule::CHAINRULE_ISA
