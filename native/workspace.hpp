// How a batch is cut into panels, and where their arrays lie. Nothing here depends on the number of
// threads: panels are the same for any.
#pragma once

#include "activations.hpp"
#include "memory.hpp"
#include "product.hpp"

namespace chainrule::CHAINRULE_ISA {

// Where a layer's arrays lie in a panel, and what its kind keeps from step to step.
struct Place {
    long A = 0, D = 0; // activations; σ′(Z), then δ
    long turned = 0;   // A once more, examples by rows, for the weights above (0: not wanted)
    long own[4] = {};  // whatever else the layer's kind wants
    void *copy = nullptr;
    Through through = Through::unchanged; // what the layer above multiplies by
};

// PanelSpan that a thread takes through a layer together.
struct PanelSpan {
    long first, count, last_count; // last_count: examples of the last one
    long example;                  // in the batch, of the first panel's first
    std::uint64_t noise = 0;       // what the step's random numbers are drawn from
};

// What an optimizer does to a parameter takes as long as so many multiplications.
constexpr long update_work = 16;

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
    int layers = 0;

    ~Workspace() {
        for (int l = 0; place && l <= layers; ++l)
            std::free(place[l].copy);
        if (place != few_places) std::free(place);
        std::free(memory);
    }

    // False: out of memory. How a batch is cut depends on `usual` alone, the usual batch, so that
    // an epoch in pieces has the same bits. `Kinds` is the table of layer kinds (layers/table.hpp).
    template <typename Kinds>
    bool prepare(const Network &net, long batch, long usual, long most_panels, bool training) {
        layers = net.count;
        usual_batch = usual;
        panel_size = chosen_size<Kinds>(net);
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
        if (!memory) return false;
        for (int l = 1; training && l <= net.count; ++l)
            if (!Kinds::prepare(net, l, *this)) return false;
        return true;
    }

    T *panel(long q) const { return memory + q * panel_stride; }

    // Multiplications from which on a second thread pays: two barriers cost up to 16 µs, in which
    // one core multiplies up to two million times.
    static constexpr double thread_work = sizeof(T) == 4 ? 6e6 : 3e6;

  private:
    // PanelSpan of one tile's width keep B in the fastest cache. Where a step is long enough for a
    // second thread, two share a batch of few panels about equally.
    template <typename Kinds> long chosen_size(const Network &net) const {
        long chosen = smaller(usual_batch, chunk);
        if (usual_batch < 2 * S::lanes || usual_batch >= 8 * chunk ||
            Kinds::pass_work(net, usual_batch) <= thread_work)
            return chosen;
        long least = usual_batch + 1;
        for (long size = chunk; size >= chunk / 2; size -= S::lanes) {
            const long first = divided_up(usual_batch, size) / 2 * size;
            const long longer = larger(first, usual_batch - first);
            if (longer < least) {
                least = longer;
                chosen = size;
            }
        }
        return chosen;
    }

    Place few_places[8]; // a prediction of one row has no time to ask for memory
};

} // namespace chainrule::CHAINRULE_ISA
