// The grouped dense layer: its units and those of the layer below are divided into as many equal
// parts, and each part is a dense layer of its own, GD1 to GD3.
#pragma once

#include "dense.hpp"

namespace chainrule::CHAINRULE_ISA {

template <typename T, int BYTES> struct GroupedDense : DenseLayer<T, BYTES> {
    using Plain = Dense<T, BYTES>;
    using Base = DenseLayer<T, BYTES>;
    using C = Context<T, BYTES>;
    using W = Workspace<T, BYTES>;
    using D = Dots<T, BYTES>;
    using Base::part_count, Base::part_units, Base::seen;

    static constexpr const char *name = "grouped_dense";

    enum Own { turned }; // A[l−1] transposed, part after part (0: not needed)

    static const char *check(const Layer &layer, bool) {
        if (layer.block_count != 2) return "a grouped dense layer has W and b";
        const long n_in = seen(layer), count = part_count(layer);
        const bool fits = has_block(layer, 0, layer.n_out, n_in, true) &&
                          has_block(layer, 1, layer.n_out, 1, false) && count * n_in == layer.n_in;
        if (!fits) return "a grouped dense layer has W and b";
        return count > 0 && layer.n_out % count == 0 ? nullptr : "groups have equally many units";
    }

    static Part part(const Layer &layer, long i) {
        const long n_in = seen(layer), n_out = part_units(layer);
        return {n_in, n_out, i * n_in, i * n_out};
    }

    template <typename Take>
    static void place(const Network &net, int l, W &ws, Take &&take, bool training) {
        const Layer &layer = net.layers[l - 1];
        if (training && !D::pays(seen(layer), part_units(layer), ws.usual_batch, false))
            ws.place[l].own[turned] = take(part_count(layer) * turned_size(layer, ws));
    }
    static long turned_size(const Layer &layer, const W &ws) {
        return rounded_up(seen(layer), W::chunk) * ws.ld;
    }

    // The copies of the parts' W for BP2, one after the other.
    static bool prepare(const Network &net, int l, W &ws) {
        const Layer &layer = net.layers[l - 1];
        const long size = l == 1 ? 0 : Plain::copied(seen(layer), part_units(layer));
        return !size || (ws.place[l].copy = allocate<T>(part_count(layer) * size));
    }
    static T *copy_of(const C &c, int l, const Part &part) {
        T *copy = static_cast<T *>(c.ws.place[l].copy);
        return copy ? copy + part.first_out / part.n_out * Plain::copied(part.n_in, part.n_out)
                    : nullptr;
    }
    static void renew(const C &c, const Group &group) {
        const int l = group.l();
        const Part own = part_of(c, group);
        if (T *copy = copy_of(c, l, own))
            Plain::renew_part(c.block(l, 0) + own.first_out * own.n_in, own.n_in, own.n_out,
                              group.begin - own.first_out, group.end - own.first_out, copy);
    }
    // The part in which a group lies.
    static Part part_of(const C &c, const Group &group) {
        const Layer &layer = c.layer(group.l());
        return part(layer, group.begin / part_units(layer));
    }

    // GD1 and F2.
    static void forward(const C &c, int l, const PanelSpan &some) {
        const Layer &layer = c.layer(l);
        for (long i = 0; i < part_count(layer); ++i)
            Plain::sums_of_part(c, l, part(layer, i), some);
        Plain::activate(c, l, some);
    }

    // GD2, and what GD3 reads.
    static void backward(const C &c, int l, const PanelSpan &some) {
        const Layer &layer = c.layer(l);
        const W &ws = c.ws;
        const long at = ws.place[l].own[turned];
        for (long i = 0; i < part_count(layer); ++i) {
            const Part own = part(layer, i);
            if (l > 1) Plain::errors_of_part(c, l, own, copy_of(c, l, own), some);
            for (long q = 0; at && q < some.count; ++q) {
                const long panel = some.first + q;
                Plain::turn(ws, c.at(panel, ws.place[l - 1].A) + own.first_in * ws.ld,
                            c.at(panel, at) + i * turned_size(layer, ws), own.n_in,
                            c.count(some, q));
            }
        }
        for (long q = 0; l > 1 && q < some.count; ++q)
            c.error_of_whole(l - 1, some, q);
    }

    // GD3 and BP3.
    static void gradient(const C &c, const Group &group, const PanelSpan &some, T *out) {
        const Layer &layer = c.layer(group.l());
        const W &ws = c.ws;
        const Place &place = ws.place[group.l()];
        const Part own = part_of(c, group);
        const T *delta = c.at(some.first, place.D) + group.begin * ws.ld;
        const long rows = group.end - group.begin;
        if (place.own[turned]) {
            const T *A = c.at(some.first, place.own[turned]) +
                         own.first_in / own.n_in * turned_size(layer, ws);
            Plain::template gradient_from<typename W::Wide>(c, rows, own.n_in, some.count,
                                                            ws.panel_size, some.last_count, delta,
                                                            ws.ld, A, out);
        } else {
            const T *A = c.at(some.first, ws.place[group.layer].A) + own.first_in * ws.ld;
            D::run({delta, A, ws.ld, some.count, ws.panel_stride, C::vectors(ws.panel_size),
                    C::vectors(some.last_count), out, own.n_in},
                   rows, own.n_in);
        }
        Plain::biases(c, group, some, out + rows * own.n_in);
    }
};

} // namespace chainrule::CHAINRULE_ISA
