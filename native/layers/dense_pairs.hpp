// The dense layer with products of pairs of bfloat16 numbers, summed in float32. Parameters,
// activations, δ and gradients remain float32; only the factors of a product are rounded, when they
// are packed for it.
#pragma once

#include "../pair_products.hpp"
#include "dense.hpp"

namespace chainrule::CHAINRULE_ISA {

struct DensePairs : DenseLayer<float, 64> {
    using Plain = Dense<float, 64>;
    using C = Context<float, 64>;
    using W = Workspace<float, 64>;
    using P = Products<float, 64, PairProducts>;
    using V = Bfloat16::V;
    static constexpr long chunk = W::chunk;

    // A layer's own arrays, in words of two numbers.
    enum Own {
        inputs, // A[l−1], pairs of units
        turned, // A[l−1], examples by rows in chunks of units, pairs of examples
        deltas, // δ[l], pairs of units, for BP2
        rows    // δ[l], pairs of examples, for BP4
    };

    // The multiplications in a batch that pairs make faster: 0 for small batches, and for layers
    // smaller than those that were measured.
    static double faster(const Layer &layer, long batch) {
        return weights(layer) >= 1 << 16 && batch >= 64 ? weights(layer) * double(batch) : 0;
    }

    static long pairs(long n) { return divided_up(n, 2); }

    template <typename Take>
    static void place(const Network &net, int l, W &ws, Take &&take, bool training) {
        const long n_in = net.layers[l - 1].n_in, n_out = net.layers[l - 1].n_out;
        if (training) Plain::place_turned(l, n_in, ws, take);
        long *own = ws.place[l].own;
        own[inputs] = take(pairs(n_in) * ws.ld);
        own[turned] = take(rounded_up(n_in, chunk) * pairs(ws.ld));
        own[deltas] = take(pairs(n_out) * ws.ld);
        own[rows] = take(n_out * pairs(ws.ld));
    }

    // The copy holds W with pairs of inputs, row by row, then Wᵀ with pairs of units, packed.
    static long words(long n_in, long n_out) { return rounded_up(n_out * pairs(n_in), 16); }
    static bool prepare(const Network &net, int l, W &ws) {
        const long n_in = net.layers[l - 1].n_in, n_out = net.layers[l - 1].n_out;
        const long transposed = l > 1 ? P::packed_rows(n_in) * pairs(n_out) : 0;
        ws.place[l].copy = allocate<float>(words(n_in, n_out) + transposed);
        return ws.place[l].copy != nullptr;
    }

    static void renew(const C &c, const Group &group) {
        const int l = group.l();
        const long n_in = c.layer(l).n_in, n_out = c.layer(l).n_out;
        const float *weights = c.block(l, 0);
        float *copy = static_cast<float *>(c.ws.place[l].copy);
        for (long r = group.begin; r < group.end; ++r)
            pair_neighbours(weights + r * n_in, n_in, copy + r * pairs(n_in));
        if (l == 1) return;
        float *transposed = copy + words(n_in, n_out);
        // Groups begin at even units, so both units of a pair are in the same group.
        for (long k = 0; k < n_in; k += 16) {
            const int some = static_cast<int>(smaller(16, n_in - k));
            const __mmask16 part = static_cast<__mmask16>((1u << some) - 1);
            for (long r = group.begin; r < group.end; r += 2) {
                const float *row = weights + r * n_in + k;
                const V first = reinterpret_cast<V>(_mm512_maskz_loadu_ps(part, row));
                const V second = r + 1 < n_out
                                     ? reinterpret_cast<V>(_mm512_maskz_loadu_ps(part, row + n_in))
                                     : V{};
                float word[16];
                Bfloat16::S::store(word, Bfloat16::words(first, second));
                for (int i = 0; i < some; ++i)
                    std::memcpy(transposed + P::packed_at(k + i, r / 2, n_in, pairs(n_out)),
                                word + i, sizeof(float));
            }
        }
    }

    static void forward(const C &c, int l, const PanelSpan &some) {
        const Layer &layer = c.layer(l);
        const W &ws = c.ws;
        const Place &place = ws.place[l];
        for (long q = 0; q < some.count; ++q)
            pair_rows(c.at(some.first + q, ws.place[l - 1].A), ws.ld, layer.n_in, ws.ld,
                      c.at(some.first + q, place.own[inputs]), ws.ld);
        const Product<float> product{static_cast<const float *>(place.copy),
                                     pairs(layer.n_in),
                                     1,
                                     0,
                                     c.at(some.first, place.own[inputs]),
                                     ws.ld,
                                     1,
                                     pairs(layer.n_in),
                                     pairs(layer.n_in),
                                     c.at(some.first, place.A),
                                     ws.ld,
                                     c.block(l, 1)};
        Plain::sums_by<P>(c, l, product, layer.n_out, some);
        Plain::activate(c, l, some);
    }

    static void backward(const C &c, int l, const PanelSpan &some) {
        const Layer &layer = c.layer(l);
        const W &ws = c.ws;
        const Place &place = ws.place[l], &below = ws.place[l - 1];
        for (long q = 0; q < some.count; ++q) {
            const float *delta = c.at(some.first + q, place.D);
            for (long j = 0; j < layer.n_out; ++j)
                pair_neighbours(delta + j * ws.ld, ws.ld,
                                c.at(some.first + q, place.own[rows]) + j * pairs(ws.ld));
            if (l > 1)
                pair_rows(delta, ws.ld, layer.n_out, ws.ld, c.at(some.first + q, place.own[deltas]),
                          ws.ld);
        }
        if (l > 1) {
            Product<float> product{static_cast<const float *>(place.copy) +
                                       words(layer.n_in, layer.n_out),
                                   1,
                                   P::interleaved,
                                   0,
                                   c.at(some.first, place.own[deltas]),
                                   ws.ld,
                                   1,
                                   pairs(layer.n_out),
                                   pairs(layer.n_out),
                                   nullptr,
                                   ws.ld};
            product.interleaved = P::interleaved;
            product.packed_rows = P::packed_rows(layer.n_in);
            Plain::errors_by<P>(c, l, product, 0, layer.n_in, some);
            Plain::after_errors(c, l, some);
        }
        // A[l−1] is already transposed, in float32; BP4 reads it in pairs of examples.
        for (long q = 0; q < some.count; ++q) {
            const float *from = c.at(some.first + q, below.turned);
            float *to = c.at(some.first + q, place.own[turned]);
            for (long k = 0; k < layer.n_in; k += chunk)
                pair_rows(from + k * ws.ld, chunk, ws.ld, chunk, to + k * pairs(ws.ld), chunk);
        }
    }

    static void gradient(const C &c, const Group &group, const PanelSpan &some, float *out) {
        const Place &place = c.ws.place[group.l()];
        const long units = group.end - group.begin, n = c.layer(group.l()).n_in;
        Plain::gradient_from<P>(c, units, n, some.count, pairs(c.ws.panel_size),
                                pairs(some.last_count),
                                c.at(some.first, place.own[rows]) + group.begin * pairs(c.ws.ld),
                                pairs(c.ws.ld), c.at(some.first, place.own[turned]), out);
        Plain::biases(c, group, some, out + n * units);
    }
};

} // namespace chainrule::CHAINRULE_ISA
