// Phase 1 of a step: everything of one panel of examples that depends on those examples alone.
#pragma once

#include "layers/table.hpp"
#include "outputs.hpp"

namespace chainrule::CHAINRULE_ISA {

template <typename T, int BYTES, typename Kinds> class Panels {
    using S = Simd<T, BYTES>;
    using V = typename S::V;
    using Out = Outputs<T, BYTES>;
    using C = Context<T, BYTES>;
    static constexpr long chunk = Workspace<T, BYTES>::chunk;

  public:
    Panels(const C &context, const Examples<T> &examples) : c_(context), examples_(examples) {}

    // Whoever calls has looked at all orders and classes. Should another thread of his change one
    // meanwhile, the result is wrong, but memory that is not the network's is left alone: each is
    // read once and held against its bounds.
    long row_of(long i) const {
        if (!examples_.order) return i;
        const long row = once(examples_.order + i);
        return row >= 0 && row < examples_.rows ? row : 0;
    }

    double weight_of(long i) const {
        return examples_.weights ? double(examples_.weights[row_of(i)]) : 1.0;
    }

    // A[0] = Xᵀ of a panel's examples, and, for the gradient of W[1], their rows in chunks.
    // Returns 0 in every lane, or NaN in some where X has NaN or infinities (of a prediction:
    // training has looked at X before).
    V gather(long panel, long first, long count) const {
        // Rows in a random order come from memory, if X is larger than the caches: the next ones
        // are then called for early.
        const bool far = examples_.order && examples_.rows * c_.net.layers[0].n_in > 1L << 17;
        return c_.training ? (far ? gather_as<true, true>(panel, first, count)
                                  : gather_as<true, false>(panel, first, count))
                           : gather_as<false, false>(panel, first, count);
    }

    // Layers `from` to `to`; the output layer up to its Z.
    void forward(const PanelSpan &some, int from, int to) const {
        for (int l = from; l <= to; ++l)
            Kinds::forward(c_, l, some);
    }
    void forward(const PanelSpan &some) const { forward(some, 1, c_.net.count); }

    // Each example's share of the batch's weight.
    void shares(long panel, long first, long count, double share) const {
        T *scale = c_.at(panel, c_.ws.scale);
        for (long i = 0; i < count; ++i)
            scale[i] = T(share * weight_of(first + i));
        for (long i = count; i < c_.ws.ld; ++i)
            scale[i] = T(0);
    }

    // Cost of a panel, Σ w C, and δ[L] scaled by each example's share of the mean.
    double output(long panel, long first, long count, double share) const {
        const auto &ws = c_.ws;
        const int L = c_.net.count, n = c_.layer(L).n_out;
        T *Y = c_.at(panel, ws.Y), *costs = c_.at(panel, ws.costs);
        if (examples_.classes) std::memset(Y, 0, sizeof(T) * n * ws.ld);
        for (long i = 0; i < count; ++i) {
            const long row = row_of(first + i);
            if (examples_.classes) {
                const long label = once(examples_.classes + row);
                if (label >= 0 && label < n) Y[label * ws.ld + i] = T(1);
            } else {
                for (int j = 0; j < n; ++j)
                    Y[j * ws.ld + i] = examples_.Y[row * n + j];
            }
        }
        shares(panel, first, count, share);
        Out::run(c_.net, c_.at(panel, ws.place[L].A), Y,
                 c_.training ? c_.at(panel, ws.place[L].D) : nullptr, c_.at(panel, ws.scale), costs,
                 ws.ld, C::vectors(count));
        double sum = 0;
        for (long i = 0; i < count; ++i) {
            const double w = weight_of(first + i);
            if (w != 0) sum += w * double(costs[i]);
        }
        return sum;
    }

    // The δ below layers `from` to `to`, downwards, and what the gradients need.
    void backward(const PanelSpan &some, int from, int to) const {
        for (int l = from; l >= to; --l)
            Kinds::backward(c_, l, some);
    }
    void backward(const PanelSpan &some) const { backward(some, c_.net.count, 1); }

    // A[L] from the output layer's Z, for a prediction.
    const T *finish(long panel, long count) const {
        T *A = c_.at(panel, c_.ws.place[c_.net.count].A);
        Out::activate(c_.net, A, c_.ws.ld, count);
        return A;
    }

  private:
    static long once(const std::int32_t *index) { return __atomic_load_n(index, __ATOMIC_RELAXED); }

    template <bool TRAINING, bool FAR> V gather_as(long panel, long first, long count) const {
        const Place &place = c_.ws.place[0];
        const long n = c_.net.layers[0].n_in, total = examples_.rows * n, ld = c_.ws.ld;
        T *A = c_.at(panel, place.A), *turned = place.turned ? c_.at(panel, place.turned) : nullptr;
        V zero = V{};
        for (long e = 0; e < count; e += S::lanes) {
            const T *row[S::lanes], *ahead[S::lanes];
            long furthest = 0;
            for (int i = 0; i < S::lanes; ++i) {
                // Lanes that pad hold an example too: what a network makes of zeros may be
                // infinite where nothing else is, and 0 · ∞ is no error of 0.
                const long at = row_of(first + (e + i < count ? e + i : 0)) * n;
                furthest = larger(furthest, at);
                row[i] = examples_.X + at;
                if constexpr (FAR) {
                    const long last = examples_.count * examples_.epochs - 1;
                    ahead[i] = examples_.X + row_of(smaller(first + e + i + S::lanes, last)) * n;
                }
            }
            for (long k = 0; k < n; k += S::lanes) {
                V x[S::lanes];
                if constexpr (FAR) {
                    for (int i = 0; i < S::lanes; ++i)
                        __builtin_prefetch(ahead[i] + k);
                }
                if (furthest + k + S::lanes <= total) {
                    for (int i = 0; i < S::lanes; ++i)
                        x[i] = S::load(row[i] + k); // may reach into the next row: never used
                } else {
                    for (int i = 0; i < S::lanes; ++i)
                        x[i] = S::load_part(row[i] + k, static_cast<int>(n - k));
                }
                if (turned) {
                    T *to = turned + (k / chunk) * ld * chunk + e * chunk + k % chunk;
                    for (int i = 0; i < S::lanes; ++i)
                        S::store(to + i * chunk, x[i]);
                }
                Transpose<T, BYTES>::block(x);
                const long features = smaller(S::lanes, n - k);
                for (long j = 0; j < features; ++j) {
                    if constexpr (!TRAINING) zero += x[j] - x[j];
                    S::store(A + (k + j) * ld + e, x[j]);
                }
            }
        }
        return zero;
    }

    const C &c_;
    const Examples<T> &examples_;
};

} // namespace chainrule::CHAINRULE_ISA
