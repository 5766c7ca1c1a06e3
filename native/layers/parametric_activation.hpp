// The parametric activation, PA1 and PA2: A[l] = z + α (σ(z) − z), where z are the
// activations of the layer below.
#pragma once

#include "kind.hpp"

namespace chainrule::CHAINRULE_ISA {

template <typename T, int BYTES> struct ParametricActivation : LayerKind<T, BYTES> {
    using C = Context<T, BYTES>;
    using W = Workspace<T, BYTES>;
    using S = Simd<T, BYTES>;
    using V = typename S::V;
    using Act = Activations<T, BYTES>;

    static constexpr const char *name = "parametric_activation";

    static const char *check(const Layer &layer, bool) {
        if (layer.n_in != layer.n_out) return "a parametric activation keeps its units";
        if (Act::through(layer.activation) == Through::jacobian)
            return "a parametric activation is of each unit for itself";
        return layer.block_count == 1 && has_block(layer, 0, layer.n_out, 1, false)
                   ? nullptr
                   : "a parametric activation has α";
    }

    // The layer above does not multiply by σ′: A is not σ(z) alone. `backward` multiplies by the
    // whole derivative.
    static Through through(const Layer &) { return Through::unchanged; }

    // One group with all parameters.
    template <typename Emit> static void divide(const Layer &layer, Emit &&emit) {
        emit(0, 1, 0, layer.n_out);
    }
    static double group_work(const Layer &layer, const Group &, long) { return layer.n_out; }

    // The arrays for backpropagation: σ(z) − z and σ′(z).
    enum Own { way, slope };
    template <typename Take>
    static void place(const Network &net, int l, W &ws, Take &&take, bool training) {
        if (!training) return;
        const long size = net.layers[l - 1].n_out * ws.ld;
        ws.place[l].own[way] = take(size);
        ws.place[l].own[slope] = take(size);
    }

    // PA1
    static void forward(const C &c, int l, const PanelSpan &some) {
        const Layer &layer = c.layer(l);
        const Place &own = c.ws.place[l];
        const long n = layer.n_out, ld = c.ws.ld;
        const T *alpha = c.block(l, 0);
        for (long q = 0; q < some.count; ++q) {
            const long panel = some.first + q;
            const T *z = c.at(panel, c.ws.place[l - 1].A);
            T *A = c.at(panel, own.A);
            std::memcpy(A, z, sizeof(T) * n * ld);
            Act::apply(layer.activation, A, c.training ? c.at(panel, own.own[slope]) : nullptr, n,
                       ld, c.vectors(c.count(some, q)));
            for (long j = 0, i = 0; j < n; ++j) {
                for (long e = 0; e < ld; e += S::lanes, i += S::lanes) {
                    const V x = S::load(z + i), moved = S::load(A + i) - x;
                    S::store(A + i, x + alpha[j] * moved);
                    if (c.training) S::store(c.at(panel, own.own[way]) + i, moved);
                }
            }
        }
    }

    // PA1's derivative.
    static void backward(const C &c, int l, const PanelSpan &some) {
        if (l == 1) return;
        const Place &own = c.ws.place[l];
        const long ld = c.ws.ld;
        const T *alpha = c.block(l, 0);
        for (long q = 0; q < some.count; ++q) {
            const T *delta = c.at(some.first + q, own.D);
            const T *derivative = c.at(some.first + q, own.own[slope]);
            c.error_below(l, some, q, [&](long j) {
                return [d = delta + j * ld, s = derivative + j * ld, a = alpha[j]](long e) {
                    return S::load(d + e) * (T(1) + a * (S::load(s + e) - T(1)));
                };
            });
        }
    }

    // PA2
    static void gradient(const C &c, const Group &group, const PanelSpan &some, T *out) {
        const int l = group.l();
        const Place &own = c.ws.place[l];
        const long ld = c.ws.ld;
        for (long j = 0; j < c.layer(l).n_out; ++j) {
            V total = V{};
            for (long q = 0; q < some.count; ++q) {
                const T *moved = c.at(some.first + q, own.own[way]) + j * ld;
                const T *d = c.at(some.first + q, own.D) + j * ld;
                const long count = c.count(some, q);
                for (long e = 0; e < count; e += S::lanes)
                    total += S::load(d + e) * S::load(moved + e);
            }
            out[j] = S::sum(total);
        }
    }
};

} // namespace chainrule::CHAINRULE_ISA
