// What a kind of layer may say and do. Each begins with this, and says what it has to say.
#pragma once

#include "../groups.hpp"
#include "../types.hpp"
#include "context.hpp"

namespace chainrule::CHAINRULE_ISA {

// Whether a layer's block is there and of that shape.
static inline bool has_block(const Layer &layer, int b, long rows, long columns, bool weights) {
    const Block *block = layer.blocks + b;
    return b < layer.block_count && block->rows == rows && block->columns == columns &&
           block->weights == weights;
}

template <typename T, int BYTES> struct LayerKind {
    using C = Context<T, BYTES>;
    using W = Workspace<T, BYTES>;

    // Its `name`, and what it calls its settings.
    static constexpr Names settings{};
    // Whether a setting may be several numbers.
    static constexpr bool lists = false;
    // Whether a training step needs to know what the whole batch is like: `statistics`, `errors`.
    static constexpr bool whole_batch = false;

    // What is wrong with a layer of this kind, or nullptr. Sizes are positive, the blocks lie one
    // after the other, and each setting is there.
    static const char *check(const Layer &, bool /* first */) { return nullptr; }

    // Whether it reads codes among the inputs; and whether a row of X is one that it can read.
    static constexpr bool reads_codes = false;
    static bool readable(const Layer &, const T * /* row */) { return true; }

    // What the layer above multiplies ∂C/∂A by.
    static Through through(const Layer &layer) {
        return Activations<T, BYTES>::through(layer.activation);
    }

    // Multiplications of a step: those of the passes, and what its updates take beyond.
    static double pass_work(const Layer &, long /* batch */, bool /* first */) { return 0; }
    static double table_work(const Layer &) { return 0; }
    // Parameters that are read again for every panel.
    static long shared_weights(const Layer &) { return 0; }

    // How its parameters are divided into groups: calls emit(block, blocks, begin, end) for each,
    // rows [begin, end) of so many blocks.
    template <typename Emit> static void divide(const Layer &, Emit &&) {}
    static double group_work(const Layer &, const Group &, long /* batch */) { return 0; }

    // Arrays in a panel beside A and D; in training steps those of the way back.
    template <typename Take>
    static void place(const Network &, int /* l */, W &, Take &&, bool /* training */) {}

    // Memory that lasts over the steps (the place's `copy`); false: there is not enough.
    static bool prepare(const Network &, int /* l */, W &) { return true; }

    // What is kept of a group's parameters in another form, after they changed.
    static void renew(const C &, const Group &) {}

    // What a training step changes beside that, from what its examples were like.
    static void follow(const C &, const Group &) {}

    // The gradient of a group over so many panels, its slices one after the other in `out`.
    static void gradient(const C &, const Group &, long /* panels */, long /* last_count */,
                         T * /* out */) {}

    // Of the units [begin, end), over the whole batch: before `forward`, and before `backward`.
    static void statistics(const C &, int /* l */, long /* begin */, long /* end */,
                           long /* panels */, long /* last_count */) {}
    static void errors(const C &, int /* l */, long /* begin */, long /* end */, long /* panels */,
                       long /* last_count */) {}

    // forward(c, l, some): A[l] of some panels; the output layer stops at Z.
    // backward(c, l, some): δ[l−1] from δ[l]; nothing below the first layer.
};

} // namespace chainrule::CHAINRULE_ISA
