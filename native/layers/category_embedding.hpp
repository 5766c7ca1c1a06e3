// Category embeddings, EM1 and EM2: the first layer of a network some of whose inputs are codes.
// Its units are the other inputs, in their order, and then the rows that were looked up.
#pragma once

#include "context.hpp"

namespace chainrule::CHAINRULE_ISA {

template <typename T, int BYTES> struct CategoryEmbedding {
    using C = Context<T, BYTES>;
    using W = Workspace<T, BYTES>;

    static void forward(const C &c, int l, const Block &b) {
        const Layer &layer = c.layer(l);
        const W &ws = c.ws;
        for (long q = 0; q < b.panels; ++q) {
            const T *X = c.at(b.first + q, ws.place[l - 1].A);
            T *A = c.at(b.first + q, ws.place[l].A);
            for (long j = 0; j < layer.n_in; ++j) {
                if (is_code(layer, j)) continue;
                std::memcpy(A, X + j * ws.ld, sizeof(T) * ws.ld);
                A += ws.ld;
            }
            const T *E = c.parameters(l);
            for (int i = 0; i < layer.lookups; ++i) {
                const Lookup &from = layer.lookup[i];
                const T *codes = X + from.column * ws.ld;
                const long d = from.dimension;
                for (long e = 0; e < ws.ld; ++e) {
                    const T *row = E + code(codes[e], from.codes) * d;
                    for (long k = 0; k < d; ++k)
                        A[k * ws.ld + e] = row[k];
                }
                A += d * ws.ld;
                E += from.codes * d;
            }
        }
    }

    // EM2 of some rows of one table: the sums of their δ over the batch, in the examples' order.
    static void gradient(const C &c, const Group &group, long panels, long last_count, T *out) {
        const Layer &layer = c.layer(group.layer + 1);
        const W &ws = c.ws;
        const TableRows rows(layer, group);
        const long d = rows.table->dimension, count = group.end - group.begin;
        const T first = T(rows.first), end = T(rows.first + count);
        std::memset(out, 0, sizeof(T) * count * d);
        for (long q = 0; q < panels; ++q) {
            const T *codes = c.at(q, ws.place[group.layer].A) + rows.table->column * ws.ld;
            const T *D = c.at(q, ws.place[group.layer + 1].D) + rows.unit * ws.ld;
            const long examples = q + 1 < panels ? ws.panel_size : last_count;
            for (long e = 0; e < examples; ++e) {
                if (!(codes[e] >= first && codes[e] < end)) continue;
                T *row = out + static_cast<long>(codes[e] - first) * d;
                for (long k = 0; k < d; ++k)
                    row[k] += D[k * ws.ld + e];
            }
        }
    }

  private:
    // Whoever calls has looked at all codes. Should another thread of his change one meanwhile, the
    // result is wrong, but nothing is read that is not the network's.
    static long code(T x, long codes) {
        return x >= T(0) && x < T(codes) ? static_cast<long>(x) : 0;
    }

    static bool is_code(const Layer &layer, long j) {
        for (int i = 0; i < layer.lookups; ++i)
            if (layer.lookup[i].column == j) return true;
        return false;
    }
};

} // namespace chainrule::CHAINRULE_ISA
