// Periodic embeddings, PE1 to PE8: A[l] has the units of the layer below, and then, for each
// embedded unit x, the values V cos(2π w x + c) + d. ψ is computed in turns, ψ/2π = w x + c/2π,
// because the rest of whole turns is exact (Functions::circle).
#pragma once

#include "../dots.hpp"
#include "kind.hpp"

namespace chainrule::CHAINRULE_ISA {

template <typename T, int BYTES> struct PeriodicEmbedding : LayerKind<T, BYTES> {
    using C = Context<T, BYTES>;
    using W = Workspace<T, BYTES>;
    using S = Simd<T, BYTES>;
    using F = Functions<T, BYTES>;
    using V = typename S::V;

    static constexpr const char *name = "periodic_embedding";
    static constexpr Names settings{"columns"}; // the embedded units, ascending; none if all are
    static constexpr bool lists = true;

    enum Blocks { frequencies, phases, matrices, shifts };
    static constexpr T turn = T(6.28318530717958647693); // 2π

    // Sizes of a layer: k embedded units with f cosines and s values each.
    static long embedded(const Layer &layer) { return layer.blocks[frequencies].rows; }
    static long cosines(const Layer &layer) { return layer.blocks[frequencies].columns; }
    static long values(const Layer &layer) { return layer.blocks[shifts].columns; }
    static long column(const Layer &layer, long i) {
        return layer.settings[0].count ? long(layer.settings[0][int(i)]) : i;
    }

    static const char *check(const Layer &layer, bool) {
        if (Activations<T, BYTES>::through(layer.activation) != Through::unchanged)
            return "a periodic embedding has no activation";
        if (layer.block_count != 4) return "a periodic embedding has w, c, V and d";
        const long k = embedded(layer), f = cosines(layer), s = values(layer);
        constexpr long most = 1l << 12;
        if (!(f <= most && s <= most && has_block(layer, frequencies, k, f, true) &&
              has_block(layer, phases, k, f, true) && has_block(layer, matrices, k, s * f, true) &&
              has_block(layer, shifts, k, s, true)))
            return "a periodic embedding has w, c, V and d";
        const Values &columns = layer.settings[0];
        if (columns.count ? columns.count != k : layer.n_in != k)
            return "a periodic embedding has a row of parameters for each of its columns";
        for (int i = 0; i < columns.count; ++i) {
            const double least = i ? columns[i - 1] + 1 : 0;
            if (!(columns[i] >= least && columns[i] < layer.n_in &&
                  columns[i] == __builtin_trunc(columns[i])))
                return "columns are units of the layer below, in their order";
        }
        return layer.n_out == layer.n_in + k * s ? nullptr : "embeddings follow the units";
    }

    static double pass_work(const Layer &layer, long batch, bool) {
        constexpr double cosine = sizeof(T) == 4 ? 16 : 24; // and its sine, in multiplications
        const double terms = double(embedded(layer)) * cosines(layer);
        return terms * ((cosine + 3.0 * values(layer)) * batch + values(layer) * update_work);
    }

    // A group is some embedded units with all of their parameters.
    template <typename Emit> static void divide(const Layer &layer, Emit &&emit) {
        const long own = (cosines(layer) + 1) * (values(layer) + 2);
        const long some = larger(1, 512 / own);
        for (long i = 0; i < embedded(layer); i += some)
            emit(0, 4, i, smaller(i + some, embedded(layer)));
    }
    static double group_work(const Layer &layer, const Group &group, long) {
        return double(group.end - group.begin) * cosines(layer) * (values(layer) + 2);
    }

    // Arrays of a panel: cos ψ, and sin ψ, which `backward` replaces by ∂C/∂ψ. Predictions need
    // the cosines of one unit at a time.
    enum Own { cosine, sine };
    template <typename Take>
    static void place(const Network &net, int l, W &ws, Take &&take, bool training) {
        const Layer &layer = net.layers[l - 1];
        const long own = cosines(layer) * ws.ld;
        ws.place[l].own[cosine] = take(training ? embedded(layer) * own : own);
        if (training) ws.place[l].own[sine] = take(embedded(layer) * own);
    }
    static long elements(const Network &net, int l) {
        const Layer &layer = net.layers[l - 1];
        return 3l * layer.n_out + 2 * embedded(layer) * cosines(layer);
    }

    // PE1 and PE2
    static void forward(const C &c, int l, const PanelSpan &some) {
        const Layer &layer = c.layer(l);
        const Place &own = c.ws.place[l];
        const long ld = c.ws.ld, k = embedded(layer), f = cosines(layer), s = values(layer);
        for (long q = 0; q < some.count; ++q) {
            const long panel = some.first + q, length = c.vectors(c.count(some, q)) * S::lanes;
            const T *below = c.at(panel, c.ws.place[l - 1].A);
            T *A = c.at(panel, own.A), *e = A + layer.n_in * ld;
            T *cosines = c.at(panel, own.own[cosine]);
            std::memcpy(A, below, sizeof(T) * layer.n_in * ld);
            for (long i = 0; i < k; ++i, e += s * ld) {
                const T *x = below + column(layer, i) * ld;
                const T *w = c.block(l, frequencies) + i * f, *phase = c.block(l, phases) + i * f;
                if (c.training) {
                    T *sines = c.at(panel, own.own[sine]) + i * f * ld;
                    circles(x, w, phase, cosines, sines, f, ld, length);
                } else {
                    circles(x, w, phase, cosines, nullptr, f, ld, length);
                }
                mix(c.block(l, matrices) + i * s * f, c.block(l, shifts) + i * s, cosines, e, f, s,
                    ld, length);
                if (c.training) cosines += f * ld;
            }
        }
    }

    // PE3, and PE4 for the layer below.
    static void backward(const C &c, int l, const PanelSpan &some) {
        const Layer &layer = c.layer(l);
        const Place &own = c.ws.place[l];
        const long ld = c.ws.ld, k = embedded(layer), f = cosines(layer), s = values(layer);
        for (long q = 0; q < some.count; ++q) {
            const long panel = some.first + q, length = c.vectors(c.count(some, q)) * S::lanes;
            const T *delta = c.at(panel, own.D), *errors = delta + layer.n_in * ld;
            T *phase_errors = c.at(panel, own.own[sine]);
            for (long i = 0; i < k; ++i)
                through_cosines(c.block(l, matrices) + i * s * f, errors + i * s * ld,
                                phase_errors + i * f * ld, f, s, ld, length);
            if (l == 1) continue;
            const T *w = c.block(l, frequencies);
            c.error_below(l, some, q, [&](long j) {
                const long i = row_of(layer, j);
                return [=, d = delta + j * ld, p = phase_errors + i * f * ld](long e) {
                    V sum = V{};
                    for (long h = 0; i >= 0 && h < f; ++h)
                        sum += w[i * f + h] * S::load(p + h * ld + e);
                    return S::load(d + e) + turn * sum;
                };
            });
        }
    }

    // PE5 to PE8 of a group: the rows of w, of c, of V, and of d.
    static void gradient(const C &c, const Group &group, const PanelSpan &some, T *out) {
        const int l = group.l();
        const Layer &layer = c.layer(l);
        const W &ws = c.ws;
        const long f = cosines(layer), s = values(layer), count = group.end - group.begin;
        T *w = out, *phase = w + count * f, *mixed = phase + count * f, *d = mixed + count * s * f;
        for (long i = group.begin; i < group.end; ++i) {
            const T *x = c.at(some.first, ws.place[l - 1].A) + column(layer, i) * ws.ld;
            const T *errors = c.at(some.first, ws.place[l].D) + (layer.n_in + i * s) * ws.ld;
            const T *cosines = c.at(some.first, ws.place[l].own[cosine]) + i * f * ws.ld;
            const T *phase_errors = c.at(some.first, ws.place[l].own[sine]) + i * f * ws.ld;
            for (long h = 0; h < f; ++h) {
                const Sums sums = sums_of(c, some, phase_errors + h * ws.ld, x);
                *w++ = turn * sums.with_x;
                *phase++ = sums.plain;
            }
            Dots<T, BYTES>::run({errors, cosines, ws.ld, some.count, ws.panel_stride,
                                 C::vectors(ws.panel_size), C::vectors(some.last_count), mixed, f},
                                s, f);
            mixed += s * f;
            for (long o = 0; o < s; ++o)
                *d++ = sums_of(c, some, errors + o * ws.ld, x).plain;
        }
    }

  private:
    // The cosines and sines of one unit; `sines` may be nullptr.
    CHAINRULE_INLINE void circles(const T *x, const T *w, const T *phase, T *cosines, T *sines,
                                  long f, long ld, long length) {
        for (long h = 0; h < f; ++h) {
            const V rate = S::splat(w[h]), start = S::rounded(S::splat(phase[h] * (1 / turn)));
            for (long e = 0; e < length; e += S::lanes) {
                const auto circle = F::circle(rate * S::load(x + e) + start);
                S::store(cosines + h * ld + e, circle.cosine);
                if (sines) S::store(sines + h * ld + e, circle.sine);
            }
        }
    }

    // e = V cos ψ + d of one unit.
    static void mix(const T *matrix, const T *d, const T *cosines, T *e, long f, long s, long ld,
                    long length) {
        for (long o = 0; o < s; ++o, matrix += f, e += ld) {
            for (long at = 0; at < length; at += S::lanes) {
                V sum = S::splat(d[o]);
                for (long h = 0; h < f; ++h)
                    sum += matrix[h] * S::load(cosines + h * ld + at);
                S::store(e + at, sum);
            }
        }
    }

    // −(Vᵀ ∂C/∂e) sin ψ of one unit, in place of its sines.
    static void through_cosines(const T *matrix, const T *errors, T *sines, long f, long s, long ld,
                                long length) {
        for (long h = 0; h < f; ++h) {
            for (long at = 0; at < length; at += S::lanes) {
                V sum = V{};
                for (long o = 0; o < s; ++o)
                    sum += matrix[o * f + h] * S::load(errors + o * ld + at);
                S::store(sines + h * ld + at, -sum * S::load(sines + h * ld + at));
            }
        }
    }

    // The row of parameters of a unit of the layer below; −1 if it is not embedded.
    static long row_of(const Layer &layer, long unit) {
        if (!layer.settings[0].count) return unit;
        long first = 0, end = embedded(layer);
        while (end - first > 1) {
            const long middle = (first + end) / 2;
            (column(layer, middle) <= unit ? first : end) = middle;
        }
        return column(layer, first) == unit ? first : -1;
    }

    // Σ d and Σ d x over a span of panels.
    struct Sums {
        T plain, with_x;
    };
    static Sums sums_of(const C &c, const PanelSpan &some, const T *d, const T *x) {
        V plain = V{}, with_x = V{};
        for (long q = 0; q < some.count; ++q, d += c.ws.panel_stride, x += c.ws.panel_stride) {
            const long count = c.count(some, q);
            for (long e = 0; e < count; e += S::lanes) {
                plain += S::load(d + e);
                with_x += S::load(d + e) * S::load(x + e);
            }
        }
        return {S::sum(plain), S::sum(with_x)};
    }
};

} // namespace chainrule::CHAINRULE_ISA
