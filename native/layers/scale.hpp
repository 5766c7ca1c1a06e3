// The scale layer, SC1 and SC2: A[l] = s ⊙ A[l−1].
#pragma once

#include "kind.hpp"

namespace chainrule::CHAINRULE_ISA {

template <typename T, int BYTES> struct Scale : LayerKind<T, BYTES> {
    using C = Context<T, BYTES>;
    using S = Simd<T, BYTES>;
    using V = typename S::V;

    static constexpr const char *name = "scale";

    static const char *check(const Layer &layer, bool) {
        if (layer.n_in != layer.n_out) return "a scale keeps its units";
        if (Activations<T, BYTES>::through(layer.activation) != Through::unchanged)
            return "a scale has no activation";
        return layer.block_count == 1 && has_block(layer, 0, layer.n_out, 1, false)
                   ? nullptr
                   : "a scale has s";
    }

    // One group with all parameters.
    template <typename Emit> static void divide(const Layer &layer, Emit &&emit) {
        emit(0, 1, 0, layer.n_out);
    }
    static double group_work(const Layer &layer, const Group &, long) { return layer.n_out; }

    static void forward(const C &c, int l, const PanelSpan &some) {
        const long n = c.layer(l).n_out, ld = c.ws.ld;
        const T *s = c.block(l, 0);
        for (long q = 0; q < some.count; ++q) {
            const T *below = c.at(some.first + q, c.ws.place[l - 1].A);
            T *A = c.at(some.first + q, c.ws.place[l].A);
            for (long j = 0; j < n; ++j)
                for (long e = 0; e < ld; ++e)
                    A[j * ld + e] = s[j] * below[j * ld + e];
        }
    }

    static void backward(const C &c, int l, const PanelSpan &some) {
        if (l == 1) return;
        const long ld = c.ws.ld;
        const T *s = c.block(l, 0);
        for (long q = 0; q < some.count; ++q) {
            const T *delta = c.at(some.first + q, c.ws.place[l].D);
            c.error_below(l, some, q, [&](long j) {
                return
                    [row = delta + j * ld, own = s[j]](long e) { return own * S::load(row + e); };
            });
        }
    }

    // SC2
    static void gradient(const C &c, const Group &group, const PanelSpan &some, T *out) {
        const int l = group.l();
        const long ld = c.ws.ld;
        for (long j = 0; j < c.layer(l).n_out; ++j) {
            V total = V{};
            for (long q = 0; q < some.count; ++q) {
                const T *x = c.at(some.first + q, c.ws.place[l - 1].A) + j * ld;
                const T *d = c.at(some.first + q, c.ws.place[l].D) + j * ld;
                const long count = c.count(some, q);
                for (long e = 0; e < count; e += S::lanes)
                    total += S::load(d + e) * S::load(x + e);
            }
            out[j] = S::sum(total);
        }
    }
};

} // namespace chainrule::CHAINRULE_ISA
