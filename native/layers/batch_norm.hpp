// Batch normalisation, BN1 to BN6, and F2 after it. In a training step, μ and v are sums over the
// whole batch, and so are the two means of BN4: there is a barrier before and after each of them.
// One thread computes all of a unit's sums, over all panels in order.
#pragma once

#include "kind.hpp"

namespace chainrule::CHAINRULE_ISA {

template <typename T, int BYTES> struct BatchNorm : LayerKind<T, BYTES> {
    using C = Context<T, BYTES>;
    using W = Workspace<T, BYTES>;
    using S = Simd<T, BYTES>;
    using V = typename S::V;

    static constexpr const char *name = "batch_norm";
    static constexpr Names settings{"momentum", "epsilon"};
    static constexpr bool whole_batch = true;

    static double momentum(const Layer &layer) { return layer.settings[0][0]; }
    static double epsilon(const Layer &layer) { return layer.settings[1][0]; }

    static const char *check(const Layer &layer, bool) {
        if (layer.n_in != layer.n_out) return "batch normalisation keeps its units";
        if (!(momentum(layer) >= 0 && momentum(layer) < 1 && epsilon(layer) > 0))
            return "a momentum lies in [0, 1), and epsilon is positive";
        bool fits = layer.block_count == 4; // γ, β, and the running μ and v
        for (int b = 0; fits && b < 4; ++b)
            fits = has_block(layer, b, layer.n_out, 1, false);
        return fits ? nullptr : "batch normalisation has γ, β, μ and v";
    }

    // One group with all parameters.
    template <typename Emit> static void divide(const Layer &layer, Emit &&emit) {
        emit(0, 4, 0, layer.n_out);
    }
    static double group_work(const Layer &layer, const Group &, long) { return 4.0 * layer.n_out; }

    // Each unit's sums over the whole batch: the two of BN1, then the two of BN4.
    enum Sum { mean, variance, moved, stretched, sums };

    static bool prepare(const Network &net, int l, W &ws) {
        ws.place[l].copy = allocate<T>(sums * long(net.layers[l - 1].n_out));
        return ws.place[l].copy != nullptr;
    }

    // BN1 of units [begin, end). The examples' shares of the batch's weight are already in the
    // panels. v takes a second pass, because E[x²] − μ² would lose digits by cancellation.
    static void statistics(const C &c, int l, long begin, long end, long panels, long last_count) {
        for (long j = begin; j < end; ++j) {
            V total = V{};
            over(c, l, j, panels, last_count, [&](V x, V, V share) { total += share * x; });
            const T m = S::sum(total);
            total = V{};
            over(c, l, j, panels, last_count,
                 [&](V x, V, V share) { total += share * ((x - m) * (x - m)); });
            sum(c, l, mean)[j] = m;
            sum(c, l, variance)[j] = S::sum(total);
        }
    }

    // Σ δ and Σ δ x̂ of units [begin, end): the gradients of β and γ, and the sums that BN4
    // subtracts from δ.
    static void errors(const C &c, int l, long begin, long end, long panels, long last_count,
                       T *to_moved, T *to_stretched) {
        for (long j = begin; j < end; ++j) {
            const Unit u(c, l, j);
            V delta = V{}, with_x_hat = V{};
            over(c, l, j, panels, last_count, [&](V x, V d, V) {
                delta += d;
                with_x_hat += d * ((x - u.m) * u.inverse);
            });
            to_moved[j] = S::sum(delta);
            to_stretched[j] = S::sum(with_x_hat);
        }
    }
    static void errors(const C &c, int l, long begin, long end, long panels, long last_count) {
        errors(c, l, begin, end, panels, last_count, sum(c, l, moved), sum(c, l, stretched));
    }

    // BN2, BN3 and F2.
    static void forward(const C &c, int l, const PanelSpan &some) {
        const Layer &layer = c.layer(l);
        const long ld = c.ws.ld;
        const bool rectified = c.through(l) == Through::rectifier;
        for (long j = 0; j < layer.n_out; ++j) {
            const Unit u(c, l, j);
            const T factor = u.inverse * u.scale;
            for (long q = 0; q < some.count; ++q) {
                const T *x = c.at(some.first + q, c.ws.place[l - 1].A) + j * ld;
                T *z = c.at(some.first + q, c.ws.place[l].A) + j * ld;
                for (long e = 0; e < ld; e += S::lanes) {
                    const V Z = (S::load(x + e) - u.m) * factor + u.shift;
                    S::store(z + e, rectified ? S::select(Z < T(0), V{}, Z) : Z);
                }
            }
        }
        if (c.through(l) != Through::unchanged && !rectified) c.activate(l, some);
    }

    // BN4 in a training step, otherwise BN5.
    static void backward(const C &c, int l, const PanelSpan &some) {
        if (l == 1) return;
        const long ld = c.ws.ld;
        for (long q = 0; q < some.count; ++q) {
            const T *X = c.at(some.first + q, c.ws.place[l - 1].A);
            const T *D = c.at(some.first + q, c.ws.place[l].D),
                    *share = c.at(some.first + q, c.ws.scale);
            c.error_below(l, some, q, [&](long j) {
                const Unit u(c, l, j);
                const T *x = X + j * ld, *d = D + j * ld;
                const T m = c.stepping ? sum(c, l, moved)[j] : T(0);
                const T s = c.stepping ? sum(c, l, stretched)[j] : T(0);
                return [=](long e) {
                    const V x_hat = (S::load(x + e) - u.m) * u.inverse;
                    const V common = S::load(share + e) * (x_hat * s + m);
                    return (u.scale * u.inverse) * (S::load(d + e) - common);
                };
            });
        }
    }

    // The gradients of γ and β; those of μ and v are 0.
    static void gradient(const C &c, const Group &group, const PanelSpan &some, T *out) {
        const int l = group.l();
        const long n = c.layer(l).n_out;
        if (c.stepping) {
            std::memcpy(out, sum(c, l, stretched), sizeof(T) * n);
            std::memcpy(out + n, sum(c, l, moved), sizeof(T) * n);
        } else {
            errors(c, l, 0, n, some.count, some.last_count, out + n, out);
        }
        std::memset(out + 2 * n, 0, sizeof(T) * 2 * n);
    }

    // BN6, after a step.
    static void follow(const C &c, const Group &group) {
        const int l = group.l();
        const long n = c.layer(l).n_out;
        const T kept = T(momentum(c.layer(l))), rest = T(1 - momentum(c.layer(l)));
        T *running = c.block(l, 2);
        const T *now = sum(c, l, mean); // followed by the variance, as in θ
        for (long j = 0; j < 2 * n; ++j)
            running[j] = kept * running[j] + rest * now[j];
    }

  private:
    // A unit's numbers in this pass: μ and v are the batch's in a training step, otherwise the
    // running ones.
    struct Unit {
        T m, inverse, scale, shift;
        Unit(const C &c, int l, long j) {
            const long n = c.layer(l).n_out;
            const T *theta = c.block(l, 0);
            m = c.stepping ? sum(c, l, mean)[j] : theta[2 * n + j];
            const T v = c.stepping ? sum(c, l, variance)[j] : theta[3 * n + j];
            inverse = T(1) / T(__builtin_sqrt(double(v + T(epsilon(c.layer(l))))));
            scale = theta[j];
            shift = theta[n + j];
        }
    };

    static T *sum(const C &c, int l, int which) {
        return static_cast<T *>(c.ws.place[l].copy) + which * long(c.layer(l).n_out);
    }

    // Calls f with unit j's inputs and errors and the examples' shares, in order over the batch.
    template <typename F>
    static void over(const C &c, int l, long j, long panels, long last_count, F &&f) {
        const W &ws = c.ws;
        for (long q = 0; q < panels; ++q) {
            const T *x = c.at(q, ws.place[l - 1].A) + j * ws.ld;
            const T *d = c.at(q, ws.place[l].D) + j * ws.ld, *share = c.at(q, ws.scale);
            const long count = q + 1 < panels ? ws.panel_size : last_count;
            for (long e = 0; e < count; e += S::lanes)
                f(S::load(x + e), S::load(d + e), S::load(share + e));
        }
    }
};

} // namespace chainrule::CHAINRULE_ISA
