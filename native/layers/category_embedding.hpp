// Category embeddings, EM1 and EM2: the first layer of a network with category codes among
// its inputs. Its units are the other inputs, in their order, followed by one table row for each
// code. Each table is a block.
#pragma once

#include "kind.hpp"

namespace chainrule::CHAINRULE_ISA {

template <typename T, int BYTES> struct CategoryEmbedding : LayerKind<T, BYTES> {
    using C = Context<T, BYTES>;
    using W = Workspace<T, BYTES>;

    static constexpr const char *name = "category_embedding";
    static constexpr Names settings{"columns"}; // the input with each table's codes
    static constexpr bool lists = true;

    static long column(const Layer &layer, int table) { return long(layer.settings[0][table]); }

    static const char *check(const Layer &layer, bool first) {
        constexpr long most = 1l << 24, largest = 1l << 16; // whole numbers in float32: 2²⁴
        const Values &columns = layer.settings[0];
        if (!first || Activations<T, BYTES>::through(layer.activation) != Through::unchanged)
            return "embeddings are the first layer";
        if (layer.block_count == 0 || columns.count != layer.block_count)
            return "embeddings have a table for each of their columns";
        long units = layer.n_in;
        for (int i = 0; i < layer.block_count; ++i) {
            const Block &table = layer.blocks[i];
            if (!(columns[i] >= 0 && columns[i] < layer.n_in &&
                  columns[i] == __builtin_trunc(columns[i]) && table.rows <= most &&
                  table.columns <= largest && !table.weights))
                return "a table has a column, codes and a dimension";
            for (int k = 0; k < i; ++k)
                if (column(layer, k) == column(layer, i)) return "a column has one table";
            units += table.columns - 1;
        }
        return units == layer.n_out ? nullptr : "embeddings replace their columns";
    }

    // Whether each code of a row is the index of a row in its table.
    static constexpr bool reads_codes = true;
    static bool readable(const Layer &layer, const T *row) {
        bool inside = true;
        for (int i = 0; i < layer.block_count; ++i) {
            const T code = row[column(layer, i)];
            inside &=
                code >= T(0) && code < T(layer.blocks[i].rows) && code == __builtin_trunc(code);
        }
        return inside;
    }

    // An update covers all rows of the tables, although a batch looks up few of them.
    static double table_work(const Layer &layer) {
        double work = 0;
        for (int i = 0; i < layer.block_count; ++i)
            work += double(update_work) * layer.blocks[i].count();
        return work;
    }

    // A group is a range of rows of a table: few enough that their gradient stays in the nearer
    // caches, and many, because each group scans the codes of the whole batch.
    template <typename Emit> static void divide(const Layer &layer, Emit &&emit) {
        for (int i = 0; i < layer.block_count; ++i) {
            const Block &table = layer.blocks[i];
            const long some = larger(1, 16384 / table.columns);
            for (long r = 0; r < table.rows; r += some)
                emit(i, 1, r, smaller(r + some, table.rows));
        }
    }
    static double group_work(const Layer &layer, const Group &group, long batch) {
        const double numbers = double(group.end - group.begin) * layer.blocks[group.block].columns;
        return numbers * update_work / (update_work + double(batch));
    }

    static void forward(const C &c, int l, const PanelSpan &some) {
        const Layer &layer = c.layer(l);
        const W &ws = c.ws;
        for (long q = 0; q < some.count; ++q) {
            const T *X = c.at(some.first + q, ws.place[l - 1].A);
            T *A = c.at(some.first + q, ws.place[l].A);
            for (long j = 0; j < layer.n_in; ++j) {
                if (is_code(layer, j)) continue;
                std::memcpy(A, X + j * ws.ld, sizeof(T) * ws.ld);
                A += ws.ld;
            }
            for (int i = 0; i < layer.block_count; ++i) {
                const Block &table = layer.blocks[i];
                const T *E = c.block(l, i), *codes = X + column(layer, i) * ws.ld;
                const long d = table.columns;
                for (long e = 0; e < ws.ld; ++e) {
                    const T *row = E + code(codes[e], table.rows) * d;
                    for (long k = 0; k < d; ++k)
                        A[k * ws.ld + e] = row[k];
                }
                A += d * ws.ld;
            }
        }
    }

    static void backward(const C &, int, const PanelSpan &) {} // it is the first layer

    // EM2 of some rows of one table: the sums of their δ over the batch, in the order of the
    // examples. Only this thread writes these rows, so there are no atomic additions.
    static void gradient(const C &c, const Group &group, const PanelSpan &some, T *out) {
        const Layer &layer = c.layer(group.l());
        const W &ws = c.ws;
        const long d = layer.blocks[group.block].columns, count = group.end - group.begin;
        const T first = T(group.begin), end = T(group.end);
        std::memset(out, 0, sizeof(T) * count * d);
        for (long q = 0; q < some.count; ++q) {
            const T *codes =
                c.at(some.first + q, ws.place[group.layer].A) + column(layer, group.block) * ws.ld;
            const T *D = c.at(some.first + q, ws.place[group.l()].D) +
                         first_unit(layer, group.block) * ws.ld;
            const long examples = c.count(some, q);
            for (long e = 0; e < examples; ++e) {
                if (!(codes[e] >= first && codes[e] < end)) continue;
                T *row = out + static_cast<long>(codes[e] - first) * d;
                for (long k = 0; k < d; ++k)
                    row[k] += D[k * ws.ld + e];
            }
        }
    }

  private:
    // The caller has already checked all codes. If another of the caller's threads changes a code
    // in the meantime, the result is wrong, but no memory outside the network's is read.
    static long code(T x, long codes) {
        return x >= T(0) && x < T(codes) ? static_cast<long>(x) : 0;
    }

    static bool is_code(const Layer &layer, long j) {
        for (int i = 0; i < layer.block_count; ++i)
            if (column(layer, i) == j) return true;
        return false;
    }

    // The first of the units that come from a table.
    static long first_unit(const Layer &layer, int table) {
        long unit = layer.n_in - layer.block_count;
        for (int i = 0; i < table; ++i)
            unit += layer.blocks[i].columns;
        return unit;
    }
};

} // namespace chainrule::CHAINRULE_ISA
