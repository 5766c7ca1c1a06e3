// The batch ensemble: members side by side that share W, BE1 to BE5. Their factors of inputs and
// sums are applied around the products of the dense layer, which every member has with the same W.
#pragma once

#include "dense.hpp"

namespace chainrule::CHAINRULE_ISA {

template <typename T, int BYTES> struct BatchEnsemble : LayerKind<T, BYTES> {
    using Plain = Dense<T, BYTES>;
    using C = Context<T, BYTES>;
    using W = Workspace<T, BYTES>;
    using S = Simd<T, BYTES>;
    using P = Products<T, BYTES>;
    using V = typename S::V;

    static constexpr const char *name = "batch_ensemble";
    static constexpr bool has_weights = true;

    enum Blocks { weights, input_factors, output_factors, biases };

    // Sizes of a layer: each of its members has `units` units and sees `seen` units below, which
    // are the same for all members if the layer below has no more.
    static long units(const Layer &layer) { return layer.blocks[weights].rows; }
    static long seen(const Layer &layer) { return layer.blocks[weights].columns; }
    static long members(const Layer &layer) { return layer.n_out / units(layer); }
    static bool shared(const Layer &layer) { return layer.n_in == seen(layer); }
    // The first unit below that member k sees.
    static long first_in(const Layer &layer, long k) { return shared(layer) ? 0 : k * seen(layer); }

    static const char *check(const Layer &layer, bool) {
        constexpr const char *wrong = "a batch ensemble has W, r, s and b";
        if (layer.block_count != 4 || layer.n_out % units(layer) != 0) return wrong;
        const long k = members(layer), n = seen(layer);
        const bool fits = has_block(layer, weights, units(layer), n, true) &&
                          has_block(layer, input_factors, k * n, 1, false) &&
                          has_block(layer, output_factors, layer.n_out, 1, false) &&
                          has_block(layer, biases, layer.n_out, 1, false);
        if (!fits) return wrong;
        return shared(layer) || layer.n_in == k * n ? nullptr : "members see equally many units";
    }

    // The multiplications of a product of all members.
    static double work(const Layer &layer) { return double(seen(layer)) * layer.n_out; }
    static double pass_work(const Layer &layer, long batch, bool) {
        return 3 * work(layer) * batch + double(shared_weights(layer)) * update_work;
    }
    static long shared_weights(const Layer &layer) { return seen(layer) * units(layer); }

    // Some rows of W; some of r; some of s with their b.
    template <typename Emit> static void divide(const Layer &layer, Emit &&emit) {
        const auto in_parts = [&](int block, int blocks, long rows, long part) {
            for (long r = 0; r < rows; r += part)
                emit(block, blocks, r, smaller(r + part, rows));
        };
        in_parts(weights, 1, units(layer), larger(8, 4096 / seen(layer)));
        in_parts(input_factors, 1, layer.blocks[input_factors].rows, 512);
        in_parts(output_factors, 2, layer.n_out, 512);
    }
    static double group_work(const Layer &layer, const Group &group, long) {
        const double rows = double(group.end - group.begin);
        return group.block == weights ? rows * seen(layer) * members(layer) : 2 * rows;
    }

    // Arrays of a panel, member after member. Predictions need `scaled`, of one member at a time.
    enum Own {
        scaled, // r ⊙ A[l−1]
        turned, // r ⊙ A[l−1] transposed, for BE3
        sums,   // W · (r ⊙ A[l−1]), for BE5
        deltas, // s ⊙ δ[l]
        back    // Wᵀ · (s ⊙ δ[l])
    };
    template <typename Take>
    static void place(const Network &net, int l, W &ws, Take &&take, bool training) {
        const Layer &layer = net.layers[l - 1];
        const long k = members(layer), inputs = seen(layer) * ws.ld, outputs = layer.n_out * ws.ld;
        long *own = ws.place[l].own;
        own[scaled] = take(training ? k * inputs : inputs);
        if (!training) return;
        own[turned] = take(k * turned_size(layer, ws));
        own[sums] = take(outputs);
        own[deltas] = take(outputs);
        own[back] = take(k * inputs);
    }
    static long padded(const Layer &layer) { return rounded_up(seen(layer), W::chunk); }
    static long turned_size(const Layer &layer, const W &ws) { return padded(layer) * ws.ld; }
    static long elements(const Network &net, int l) {
        const Layer &layer = net.layers[l - 1];
        return 5l * layer.n_out + 3 * seen(layer) * members(layer);
    }

    // The copy holds W for BE2, packed as in a dense layer if it is large, and then room for BE3,
    // whose rows are padded to whole chunks: for the gradients of both halves of a batch, which two
    // threads may compute at the same time.
    static long copied(const Layer &layer) { return Plain::copied(seen(layer), units(layer)); }
    static bool prepare(const Network &net, int l, W &ws) {
        const Layer &layer = net.layers[l - 1];
        const long size = rounded_up(copied(layer), W::line) + 2 * units(layer) * padded(layer);
        return (ws.place[l].copy = allocate<T>(size)) != nullptr;
    }
    static T *copy(const C &c, int l) { return static_cast<T *>(c.ws.place[l].copy); }
    static void renew(const C &c, const Group &group) {
        const int l = group.l();
        const Layer &layer = c.layer(l);
        if (group.block == weights && copy(c, l) && copied(layer))
            Plain::renew_part(c.block(l, weights), seen(layer), units(layer), group.begin,
                              group.end, copy(c, l));
    }

    // BE1 and F2
    static void forward(const C &c, int l, const PanelSpan &some) {
        const Layer &layer = c.layer(l);
        const W &ws = c.ws;
        const Place &place = ws.place[l];
        const long n = seen(layer), u = units(layer);
        const bool rectified = c.through(l) == Through::rectifier && l != c.net.count;
        for (long k = 0; k < members(layer); ++k) {
            const T *r = c.block(l, input_factors) + k * n;
            const T *s = c.block(l, output_factors) + k * u, *b = c.block(l, biases) + k * u;
            const long own = place.own[scaled] + (c.training ? k * n * ws.ld : 0);
            const long Z = place.A + k * u * ws.ld;
            const long product = c.training ? place.own[sums] + k * u * ws.ld : Z;
            const long below = ws.place[l - 1].A + first_in(layer, k) * ws.ld;
            each_row(c, some, n, [&](long panel, long i, long e) {
                S::store(c.at(panel, own) + i * ws.ld + e,
                         r[i] * S::load(c.at(panel, below) + i * ws.ld + e));
            });
            multiply(c, some, u,
                     {c.block(l, weights), n, 1, 0, c.at(some.first, own), ws.ld, 1, n, n,
                      c.at(some.first, product), ws.ld});
            each_row(c, some, u, [&](long panel, long j, long e) {
                const V z = s[j] * S::load(c.at(panel, product) + j * ws.ld + e) + b[j];
                S::store(c.at(panel, Z) + j * ws.ld + e,
                         rectified ? S::select(z < T(0), V{}, z) : z);
            });
        }
        Plain::activate(c, l, some);
    }

    // BE2, and what BE3 to BE5 read.
    static void backward(const C &c, int l, const PanelSpan &some) {
        const Layer &layer = c.layer(l);
        const W &ws = c.ws;
        const Place &place = ws.place[l];
        const long n = seen(layer), u = units(layer), k = members(layer);
        const T *r = c.block(l, input_factors), *s = c.block(l, output_factors);
        each_row(c, some, layer.n_out, [&](long panel, long j, long e) {
            S::store(c.at(panel, place.own[deltas]) + j * ws.ld + e,
                     s[j] * S::load(c.at(panel, place.D) + j * ws.ld + e));
        });
        for (long i = 0; i < k; ++i) {
            Product<T> product{c.block(l, weights),
                               1,
                               n,
                               0,
                               c.at(some.first, place.own[deltas]) + i * u * ws.ld,
                               ws.ld,
                               1,
                               u,
                               u,
                               c.at(some.first, place.own[back]) + i * n * ws.ld,
                               ws.ld};
            if (copied(layer)) {
                product.A = copy(c, l);
                product.column_stride = product.interleaved = P::interleaved;
                product.packed_rows = P::packed_rows(n);
            }
            multiply(c, some, n, product);
            for (long q = 0; q < some.count; ++q) {
                const long panel = some.first + q;
                Plain::turn(ws, c.at(panel, place.own[scaled]) + i * n * ws.ld,
                            c.at(panel, place.own[turned]) + i * turned_size(layer, ws), n,
                            c.count(some, q));
            }
        }
        for (long q = 0; l > 1 && q < some.count; ++q) {
            const T *E = c.at(some.first + q, place.own[back]);
            const long terms = shared(layer) ? k : 1;
            c.error_below(l, some, q, [&](long j) {
                return [=, ld = ws.ld](long e) {
                    V sum = r[j] * S::load(E + j * ld + e);
                    for (long i = j + n; i < j + terms * n; i += n)
                        sum += r[i] * S::load(E + i * ld + e);
                    return sum;
                };
            });
        }
    }

    // BE3 of rows of W; or BE4 of rows of r; or BE5 and BP3 of units.
    static void gradient(const C &c, const Group &group, const PanelSpan &some, T *out) {
        const int l = group.l();
        const Layer &layer = c.layer(l);
        const W &ws = c.ws;
        const Place &place = ws.place[l];
        if (group.block == weights) {
            weight_gradient(c, group, some, out);
        } else if (group.block == input_factors) {
            for (long i = group.begin; i < group.end; ++i)
                *out++ = dot(c, some, place.own[back] + i * ws.ld,
                             ws.place[l - 1].A + i % layer.n_in * ws.ld);
        } else {
            for (long j = group.begin; j < group.end; ++j)
                *out++ = dot(c, some, place.D + j * ws.ld, place.own[sums] + j * ws.ld);
            Plain::biases(c, group, some, out);
        }
    }

  private:
    // Calls f for each vector of the examples in n rows, of each panel of a span.
    template <typename F>
    CHAINRULE_INLINE void each_row(const C &c, const PanelSpan &some, long n, F &&f) {
        for (long q = 0; q < some.count; ++q) {
            const long count = c.count(some, q);
            for (long i = 0; i < n; ++i)
                for (long e = 0; e < count; e += S::lanes)
                    f(some.first + q, i, e);
        }
    }

    static void multiply(const C &c, const PanelSpan &some, long rows, const Product<T> &product) {
        P::template blocked<store_plain>(product, rows, some.count, c.ws.panel_stride,
                                         C::vectors(c.ws.panel_size), C::vectors(some.last_count));
    }

    // BE3: one chain of additions over members, panels and examples, in padded rows of the copy.
    static void weight_gradient(const C &c, const Group &group, const PanelSpan &some, T *out) {
        using Multiply = typename W::Wide;
        const int l = group.l();
        const Layer &layer = c.layer(l);
        const W &ws = c.ws;
        const Place &place = ws.place[l];
        const long rows = group.end - group.begin, n = seen(layer), ldc = padded(layer);
        const long first_row = group.begin + (some.first ? units(layer) : 0);
        T *sum = copy(c, l) + rounded_up(copied(layer), W::line) + first_row * ldc;
        for (long k = 0; k < members(layer); ++k) {
            const T *delta =
                c.at(some.first, place.own[deltas]) + (k * units(layer) + group.begin) * ws.ld;
            const T *A = c.at(some.first, place.own[turned]) + k * turned_size(layer, ws);
            for (long at = 0; at < n; at += W::chunk) {
                const long vectors = divided_up(smaller(W::chunk, n - at), Multiply::lanes);
                for (long q = 0; q < some.count; q += ws.near) {
                    const long now = smaller(ws.near, some.count - q);
                    Product<T> product{delta + q * ws.panel_stride,
                                       ws.ld,
                                       1,
                                       ws.panel_stride,
                                       A + at * ws.ld + q * ws.panel_stride,
                                       W::chunk,
                                       now,
                                       ws.panel_size,
                                       q + now < some.count ? ws.panel_size : some.last_count,
                                       sum + at,
                                       ldc};
                    product.parts = product.C;
                    if (k == 0 && q == 0) {
                        Multiply::template run<store_plain>(product, 0, rows, vectors);
                    } else {
                        Multiply::template run<store_plain, true>(product, 0, rows, vectors);
                    }
                }
            }
        }
        for (long r = 0; r < rows; ++r)
            std::memcpy(out + r * n, sum + r * ldc, sizeof(T) * n);
    }

    // Σ d x over the batch, of a row of d and one of x at these places of each panel.
    static T dot(const C &c, const PanelSpan &some, long d, long x) {
        V total = V{};
        for (long q = 0; q < some.count; ++q) {
            const T *own = c.at(some.first + q, d), *other = c.at(some.first + q, x);
            const long count = c.count(some, q);
            for (long e = 0; e < count; e += S::lanes)
                total += S::load(own + e) * S::load(other + e);
        }
        return S::sum(total);
    }
};

} // namespace chainrule::CHAINRULE_ISA
