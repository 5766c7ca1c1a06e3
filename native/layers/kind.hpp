// The members of a kind of layer, with their defaults. Each kind inherits from LayerKind and hides
// the members in which it differs.
#pragma once

#include "../groups.hpp"
#include "../types.hpp"
#include "context.hpp"

namespace chainrule::CHAINRULE_ISA {

// Whether a layer has block b, with the given shape.
static inline bool has_block(const Layer &layer, int b, long rows, long columns, bool weights) {
    const Block *block = layer.blocks + b;
    return b < layer.block_count && block->rows == rows && block->columns == columns &&
           block->weights == weights;
}

template <typename T, int BYTES> struct LayerKind {
    using C = Context<T, BYTES>;
    using W = Workspace<T, BYTES>;

    // The names of its settings. Each kind also defines its own `name`.
    static constexpr Names settings{};
    // Whether a setting may have several numbers.
    static constexpr bool lists = false;
    // Whether it computes new units from weights W and biases b, as the output layer must.
    static constexpr bool has_weights = false;
    // Whether a training step needs sums over the whole batch: `statistics` and `errors`.
    static constexpr bool whole_batch = false;

    // Returns what is wrong with a layer of this kind, or nullptr. The caller has checked that
    // sizes are positive, blocks are contiguous and every setting is present.
    static const char *check(const Layer &, bool /* first */) { return nullptr; }

    // Whether some inputs are category codes, and whether all codes in a row of X are valid.
    static constexpr bool reads_codes = false;
    static bool readable(const Layer &, const T * /* row */) { return true; }

    // The factor by which the layer above multiplies ∂C/∂A.
    static Through through(const Layer &layer) {
        return Activations<T, BYTES>::through(layer.activation);
    }

    // The work of a step, in multiplications: `pass_work` of the passes, `table_work` of updates
    // that it does not include.
    static double pass_work(const Layer &, long /* batch */, bool /* first */) { return 0; }
    static double table_work(const Layer &) { return 0; }
    // The number of parameters that are read again for each panel.
    static long shared_weights(const Layer &) { return 0; }

    // Divides the parameters into groups. Calls emit(block, blocks, begin, end) for each group:
    // rows [begin, end) of `blocks` neighbouring blocks, of which `block` is the first.
    template <typename Emit> static void divide(const Layer &, Emit &&) {}
    static double group_work(const Layer &, const Group &, long /* batch */) { return 0; }

    // Reserves arrays in a panel other than A and D; in training, also those for backpropagation.
    template <typename Take>
    static void place(const Network &, int /* l */, W &, Take &&, bool /* training */) {}

    // The number of elements of a panel that products need for partial sums, shared by all layers.
    static long parts(const Layer &, bool /* first */, const W &) { return 0; }

    // Whether A[l] and δ[l] are never stored as arrays of T. Only dense layers can do without.
    static bool packed(const Network &, int /* l */) { return false; }

    // The approximate number of elements per example of layer l: A and D, and a transposed A.
    static long elements(const Network &net, int l) {
        return 3 * (l ? net.layers[l - 1].n_out : net.layers[0].n_in);
    }

    // Allocates memory that is kept between steps (the place's `copy`). Returns false if out of
    // memory. `copies`: also for predictions and losses, not only for gradients.
    static constexpr bool copies = false;
    static bool prepare(const Network &, int /* l */, W &) { return true; }

    // Renews the copies of a group's parameters after the parameters have changed.
    static void renew(const C &, const Group &) {}

    // Changes parameters that follow statistics of the batch instead of a gradient, after a
    // training step.
    static void follow(const C &, const Group &) {}

    // The gradient of a group over a span of panels, its slices in sequence in `out`.
    static void gradient(const C &, const Group &, const PanelSpan &, T * /* out */) {}

    // Sums of units [begin, end) over the whole batch: `statistics` before `forward`, `errors`
    // before `backward`.
    static void statistics(const C &, int /* l */, long /* begin */, long /* end */,
                           long /* panels */, long /* last_count */) {}
    static void errors(const C &, int /* l */, long /* begin */, long /* end */, long /* panels */,
                       long /* last_count */) {}

    // Each kind also defines, for a span of panels:
    // forward(c, l, some): A[l]; in the output layer only Z.
    // backward(c, l, some): δ[l−1] from δ[l]; the first layer has no δ[l−1].
};

} // namespace chainrule::CHAINRULE_ISA
