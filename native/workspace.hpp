// The division of a batch into panels, and the layout of their arrays. Nothing here depends on the
// number of threads, so that results do not either.
#pragma once

#include "activations.hpp"
#include "memory.hpp"
#include "product.hpp"

namespace chainrule::CHAINRULE_ISA {

// Offsets of a layer's arrays in a panel, and data that its kind keeps between steps.
struct Place {
    long A = 0, D = 0; // activations; σ′(Z), then δ
    long turned = 0;   // A transposed, for the gradient of the weights above (0: not needed)
    long own[5] = {};  // further arrays of the layer's kind
    void *copy = nullptr;
    Through through = Through::unchanged; // the factor by which the layer above multiplies errors
};

// Neighbouring panels that a thread takes through a layer together.
struct PanelSpan {
    long first, count, last_count; // panels; last_count: examples in the last one
    long example;                  // index in the batch of the first panel's first example
    std::uint64_t noise = 0;       // key of the step's random numbers
    long before = 0;               // examples of the batch that other ranks have, before these
};

// The update of a parameter takes about as long as this many multiplications.
constexpr long update_work = 16;

template <typename T, int BYTES> struct Workspace {
    using S = Simd<T, BYTES>;
    using P = Products<T, BYTES>;
    // The transposed activations are in chunks of the widest vectors, whatever a batch has.
    using Wide = Products<T, CHAINRULE_BYTES>;
    static constexpr long chunk = Wide::chunk;
    static constexpr long line = 64 / static_cast<long>(sizeof(T));

    bool training = false; // store what backpropagation and the gradients need
    long usual_batch = 0;  // the training's batch size; the last batch of an epoch may be smaller
    long panel_size = 0;   // examples per panel
    long ld = 0;           // panel_size rounded up to whole vectors
    long panel_stride = 0; // elements from a panel's arrays to the next panel's
    long panels = 0;       // number of panels in memory
    long near = 1;         // panels whose transposed activations fit into the nearest caches
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

    // Returns false if out of memory. The division into panels depends only on `usual`, the
    // training's batch size, and not on `batch`, so that an epoch that is trained in several calls
    // has the same bits. `Kinds` is the table of layer kinds (layers/table.hpp).
    template <typename Kinds>
    bool prepare(const Network &net, long batch, long usual, long most_panels, bool gradients) {
        layers = net.count;
        training = gradients;
        usual_batch = usual;
        panel_size = chosen_size<Kinds>(net);
        ld = rounded_up(panel_size, S::lanes);
        near = larger(1, Wide::deep / panel_size);
        panels = smaller(divided_up(batch, panel_size), most_panels);

        place = net.count < 8 ? few_places : allocate<Place>(net.count + 1);
        if (!place) return false;
        long size = 0;
        const auto take = [&](long elements) {
            const long start = size;
            size += rounded_up(elements, line);
            return start;
        };
        long partial = 0;
        for (int l = 0; l <= net.count; ++l) {
            const long n = l ? net.layers[l - 1].n_out : net.layers[0].n_in;
            const bool packed = Kinds::packed(net, l);
            if (!packed) place[l].A = take(n * ld);
            if (!packed && training && l) place[l].D = take(n * ld);
            if (!l) continue;
            Kinds::place(net, l, *this, take, training);
            partial = larger(partial, Kinds::parts(net.layers[l - 1], l == 1, *this));
        }
        const long n_out = net.layers[net.count - 1].n_out;
        Y = take(n_out * ld);
        scale = take(ld);
        costs = take(ld);
        parts = take(partial);
        panel_stride = size + line; // avoids powers of two, which map panels to the same cache sets
        memory = allocate<T>(panel_stride * panels + chunk);
        if (!memory) return false;
        for (int l = 1; (training || Kinds::copies) && l <= net.count; ++l)
            if (!Kinds::prepare(net, l, *this)) return false;
        return true;
    }

    T *panel(long q) const { return memory + q * panel_stride; }

    // The number of multiplications from which a second thread pays: two barriers cost up to 16 µs,
    // in which one core performs up to two million multiplications.
    static constexpr double thread_work = sizeof(T) == 4 ? 6e6 : 3e6;

  private:
    // Panels of the width of one tile keep B in the fastest cache. If a step is long enough for a
    // second thread, but the batch has few panels, their size is chosen so that two threads share
    // the batch about equally.
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

    Place few_places[8]; // small networks need no allocation: it would slow down single predictions
};

} // namespace chainrule::CHAINRULE_ISA
