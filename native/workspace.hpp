// How a batch is cut, where its arrays lie, and how many threads it is worth. Nothing here depends
// on the number of threads but that number itself: panels and groups are the same for any.
#pragma once

#include <cstdlib>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "plan.hpp"
#include "product.hpp"

namespace chainrule::CHAINRULE_ISA {

CHAINRULE_INLINE long smaller(long a, long b) {
    return a < b ? a : b;
}
CHAINRULE_INLINE long larger(long a, long b) {
    return a > b ? a : b;
}
CHAINRULE_INLINE long divided_up(long a, long b) {
    return (a + b - 1) / b;
}
CHAINRULE_INLINE long rounded_up(long a, long b) {
    return divided_up(a, b) * b;
}

// Zeros, or nullptr. Large arrays lie on large pages where the system has them: products walk
// through panels megabytes apart, and would wait for the tables of small pages.
template <typename U> U *allocate(long count) {
    constexpr unsigned long large = 2ul << 20;
    const unsigned long bytes = static_cast<unsigned long>(count) * sizeof(U);
    const unsigned long unit = bytes >= 2 * large ? large : 64;
    void *p = std::aligned_alloc(unit, (bytes / unit + 1) * unit);
#if defined(__linux__)
    if (p && unit == large) madvise(p, (bytes / unit + 1) * unit, MADV_HUGEPAGE);
#endif
    if (p) std::memset(p, 0, bytes);
    return static_cast<U *>(p);
}

// Neighbouring parameters of a layer that a thread handles at a time: the weights into some of its
// units, and those units' biases; or some rows of one of its tables.
struct Group {
    int layer;
    long begin, end; // units; rows, counted over all tables
};

// The table whose rows a group of embeddings has.
struct TableRows {
    const Lookup *table;
    long first; // the group's first row there
    long at;    // where it begins among the layer's parameters
    long unit;  // the layer's first unit that is looked up there

    TableRows(const Layer &layer, const Group &group)
        : table(layer.lookup), first(group.begin), at(0), unit(layer.n_in - layer.lookups) {
        for (; first >= table->codes; ++table) {
            first -= table->codes;
            at += long(table->codes) * table->dimension;
            unit += table->dimension;
        }
        at += first * table->dimension;
    }
};

// Where a layer's arrays lie in a panel, and what its kind keeps from step to step.
struct Place {
    long A = 0, D = 0; // activations; σ′(Z), then δ
    long turned = 0;   // A once more, examples by rows, for the weights above (0: not wanted)
    long own[4] = {};  // whatever else the layer's kind wants
    void *copy = nullptr;
};

// Panels that a thread takes through a layer together.
struct Block {
    long first, panels, last_count; // last_count: examples of the last one
    long example;                   // in the batch, of the first panel's first
    std::uint64_t noise = 0;        // what the step's random numbers are drawn from
};

template <typename T, int BYTES> struct Workspace {
    using S = Simd<T, BYTES>;
    using P = Products<T, BYTES>;
    static constexpr long chunk = P::chunk;
    static constexpr long line = 64 / static_cast<long>(sizeof(T));

    long usual_batch = 0;  // the last one of an epoch may be shorter
    long panel_size = 0;   // examples
    long ld = 0;           // panel_size in whole vectors
    long panel_stride = 0; // elements from a panel's arrays to the next panel's
    long panels = 0;       // that have arrays at the same time
    long near = 1;         // panels whose turned activations stay in the nearest caches
    Place *place = nullptr;
    long Y = 0, scale = 0, costs = 0, parts = 0;
    T *memory = nullptr;
    double *panel_costs = nullptr;
    Group *groups = nullptr;
    double *group_squares = nullptr, *group_penalties = nullptr;
    long group_count = 0, group_elements = 0;
    int layers = 0;

    ~Workspace() {
        for (int l = 0; place && l <= layers; ++l)
            std::free(place[l].copy);
        if (place != few_places) std::free(place);
        std::free(memory);
        std::free(panel_costs);
        std::free(groups);
        std::free(group_squares);
        std::free(group_penalties);
    }

    // False: out of memory. `Kinds` is the table of layer kinds (layers/table.hpp).
    template <typename Kinds>
    bool prepare(const Network &net, long batch, long most_panels, bool training) {
        layers = net.count;
        // Panels of one tile's width keep B in the fastest cache. Where a step is long enough for a
        // second thread, two share a batch of few panels about equally.
        panel_size = smaller(usual_batch, chunk);
        if (usual_batch >= 2 * S::lanes && usual_batch < 8 * chunk &&
            step_work(net, usual_batch) > thread_work) {
            long least = usual_batch + 1;
            for (long size = chunk; size >= chunk / 2; size -= S::lanes) {
                const long first = divided_up(usual_batch, size) / 2 * size;
                const long longer = larger(first, usual_batch - first);
                if (longer < least) {
                    least = longer;
                    panel_size = size;
                }
            }
        }
        ld = rounded_up(panel_size, S::lanes);
        near = larger(1, P::deep / panel_size);
        panels = smaller(divided_up(batch, panel_size), most_panels);

        place = net.count < 8 ? few_places : allocate<Place>(net.count + 1);
        if (!place) return false;
        long size = 0;
        const auto take = [&](long elements) {
            const long start = size;
            size += rounded_up(elements, line);
            return start;
        };
        long deepest = 0;
        for (int l = 0; l <= net.count; ++l) {
            const long n = l ? net.layers[l - 1].n_out : net.layers[0].n_in;
            place[l].A = take(n * ld);
            if (training && l) place[l].D = take(n * ld);
            if (l) Kinds::place(net, l, *this, take, training);
            if (l > 1) deepest = larger(deepest, net.layers[l - 1].n_out);
        }
        const long n_out = net.layers[net.count - 1].n_out;
        Y = take(n_out * ld);
        scale = take(ld);
        costs = take(ld);
        if (training && deepest > P::deep) {
            long widest = 0;
            for (int l = 1; l < net.count; ++l)
                widest = larger(widest, net.layers[l - 1].n_out);
            parts = take(widest * ld);
        }
        panel_stride = size + line; // not a power of two
        memory = allocate<T>(panel_stride * panels + chunk);
        if (!training) return memory != nullptr;
        panel_costs = allocate<double>(larger(divided_up(batch, panel_size), 1));
        if (!memory || !panel_costs) return false;
        for (int l = 1; l <= net.count; ++l)
            if (!Kinds::prepare(net, l, *this)) return false;
        return prepare_groups(net);
    }

    // For a loss alone: the costs of all its panels, of which few have arrays at a time.
    bool prepare_costs(long batch) {
        panel_costs = allocate<double>(larger(divided_up(batch, panel_size), 1));
        return panel_costs != nullptr;
    }

    T *panel(long q) const { return memory + q * panel_stride; }

    // Units of a layer that make a group: small layers are one, larger ones a power of two of
    // some dozens of units (their δ and gradient stay in the nearer caches), which divide evenly.
    static long group_units(const Layer &layer) {
        if (long(layer.n_in) * layer.n_out <= 4096) return layer.n_out;
        long groups = 1;
        const long most = layer.n_out < 1024 ? 48 : 96; // wide layers' inputs are read once a group
        while (groups * most <= layer.n_out)
            groups *= 2;
        return rounded_up(divided_up(layer.n_out, groups), 2); // even: see dense_mixed.hpp
    }

    // Rows of a table that make a group: its gradient stays in the nearer caches, and the batch's
    // codes are looked through once for many.
    static long group_rows(const Lookup &table) { return larger(1, 16384 / table.dimension); }

    bool prepare_groups(const Network &net) {
        for (int pass = 0; pass < 2; ++pass) {
            long count = 0;
            for (int l = 0; l < net.count; ++l) {
                const Layer &layer = net.layers[l];
                for (long i = 0, row = 0; i < layer.lookups; row += layer.lookup[i++].codes) {
                    const Lookup &table = layer.lookup[i];
                    const long some = group_rows(table);
                    for (long r = 0; r < table.codes; r += some, ++count) {
                        const long end = smaller(r + some, table.codes);
                        if (pass) groups[count] = {l, row + r, row + end};
                        group_elements = larger(group_elements, (end - r) * table.dimension);
                    }
                }
                if (layer.kind == batch_norm) { // one group: all of its parameters
                    if (pass) groups[count] = {l, 0, layer.n_out};
                    group_elements = larger(group_elements, 4l * layer.n_out);
                    ++count;
                }
                if (layer.kind != dense) continue;
                const long units = group_units(layer);
                for (long r = 0; r < layer.n_out; r += units, ++count) {
                    const long end = smaller(r + units, layer.n_out);
                    if (pass) groups[count] = {l, r, end};
                    group_elements = larger(group_elements, (end - r) * (layer.n_in + 1));
                }
            }
            if (pass) break;
            group_count = count;
            groups = allocate<Group>(count);
            group_squares = allocate<double>(count);
            group_penalties = allocate<double>(count);
            if (!groups || !group_squares || !group_penalties) return false;
        }
        return true;
    }

    // What an optimizer does to a parameter takes as long as so many multiplications.
    static constexpr long update_work = 16;
    // What a step has to do in tables, most of whose rows no example of a batch has looked up.
    static double table_work(const Network &net) {
        double work = 0;
        for (int i = 0; i < net.layers[0].lookups; ++i) {
            const Lookup &table = net.layers[0].lookup[i];
            work += double(update_work) * table.codes * table.dimension;
        }
        return work;
    }

    // Multiplications of one step, and from how many on a second thread pays: two barriers cost up
    // to 16 µs, in which one core multiplies up to two million times.
    static constexpr double thread_work = sizeof(T) == 4 ? 6e6 : 3e6;
    static double step_work(const Network &net, long batch) {
        double work = 0;
        for (int l = 0; l < net.count; ++l) {
            if (net.layers[l].kind != dense) continue;
            const double W = double(net.layers[l].n_in) * net.layers[l].n_out;
            work += W * (batch * (l ? 3.0 : 2.0) + update_work);
        }
        return work;
    }

  private:
    Place few_places[8]; // a prediction of one row has no time to ask for memory
};

} // namespace chainrule::CHAINRULE_ISA
