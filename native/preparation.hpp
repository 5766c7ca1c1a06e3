// The decisions that are made, and the memory that is allocated, before a run, from its purpose.
#pragma once

#include "crew.hpp"
#include "groups.hpp"
#include "workspace.hpp"

namespace chainrule::CHAINRULE_ISA {

// The purpose of a run.
struct Purpose {
    long batch;       // examples per batch of this run
    long usual_batch; // the training's batch size, which alone determines the panels
    bool gradients = false;
    bool stepping = false; // updates parameters
    bool clipped = false;  // needs the norm of the whole gradient before an update
    bool costs = false;
    bool penalties = false;
};

template <typename T, int BYTES, typename Kinds> struct Preparation {
    using W = Workspace<T, BYTES>;
    static constexpr long chunk = W::chunk;
    static constexpr long most_together = 8;

    Purpose purpose{};
    W ws;
    Groups groups;
    double *panel_costs = nullptr; // one per panel of the batch; `ws` may hold fewer panels
    long together = 1;             // panels that go through a layer together
    bool segmented = false;        // a layer needs statistics of the whole batch
    // Whether the whole gradient is computed before the first update, instead of updating each
    // group as soon as its gradient is known. Clipping needs this, and so does a batch that goes
    // through in several parts. A long step does it so that it can be abandoned before it changes
    // anything.
    bool whole_gradient = false;
    T *gradient = nullptr; // the whole gradient, if it is needed

    Preparation() = default;
    Preparation(const Preparation &) = delete;
    ~Preparation() {
        std::free(panel_costs);
        std::free(arenas_);
        std::free(own_gradient_);
    }

    // `given`: the caller's array for the gradient, or nullptr. Returns false if there is not
    // enough memory.
    bool prepare(const Network &net, const Purpose &wanted, T *given, Crew &crew,
                 const Control &control) {
        purpose = wanted;
        for (int l = 0; purpose.stepping && l < net.count; ++l)
            segmented |= Kinds::whole_batch(net.layers[l]);
        if (!ws.template prepare<Kinds>(net, purpose.batch, purpose.usual_batch,
                                        most_panels(net, control), purpose.gradients))
            return false;
        if ((purpose.costs || purpose.gradients) &&
            !(panel_costs = allocate<double>(larger(divided_up(purpose.batch, ws.panel_size), 1))))
            return false;
        if ((purpose.gradients || purpose.penalties) &&
            !groups.template prepare<Kinds>(net, purpose.usual_batch))
            return false;
        const double work = Kinds::pass_work(net, purpose.batch) +
                            (purpose.gradients ? Kinds::table_work(net) : 0.0);
        crew.engage(chosen_threads(work, control));
        // Several panels go through a wide layer together, so that its weights, which do not fit
        // into the cache, are read once for all of them.
        const bool wide = Kinds::shared_weights(net) > 1L << 16;
        if (wide && purpose.gradients) {
            together = smaller(most_together, divided_up(ws.panels, crew.threads()));
        } else if (wide && Kinds::copies) {
            together = larger(1, smaller(most_together, ws.panels / crew.threads()));
        }
        if (!purpose.gradients) return true;
        whole_gradient = purpose.clipped || purpose.batch > ws.panels * ws.panel_size || work > 2e9;
        gradient = given;
        if (whole_gradient && !given) gradient = own_gradient_ = allocate<T>(net.parameters);
        arena_stride_ = rounded_up(groups.largest() + 2 * chunk, 64);
        arenas_ = allocate<T>(arena_stride_ * crew.threads());
        return arenas_ && (gradient || !whole_gradient);
    }

    // A thread's scratch memory for the gradient of one group.
    T *arena(int thread) const { return arenas_ + thread * arena_stride_; }

  private:
    long most_panels(const Network &net, const Control &control) const {
        constexpr long memory_limit = 64L << 20;
        // Each panel needs the sums over all others, so the whole batch must be in memory.
        if (segmented) return 1L << 40;
        if (!purpose.gradients) {
            const long threads = larger(1, larger(control.threads, -control.threads));
            return Kinds::copies ? threads * most_together : threads;
        }
        // Approximate number of elements per example: A and D of each layer, and a transposed A.
        // Beyond the memory limit, a batch goes through in several parts of whole panels.
        long elements = 3 * net.layers[0].n_in;
        for (int l = 0; l < net.count; ++l)
            elements += 3 * net.layers[l].n_out;
        return larger(1, memory_limit / (elements * long(sizeof(T))) / chunk);
    }

    int chosen_threads(double work, const Control &control) const {
        // A positive number is the user's, who gets as many threads; otherwise short runs have one.
        int threads = control.threads > 0     ? control.threads
                      : work < W::thread_work ? 1
                                              : -control.threads;
        if (!purpose.gradients) threads = static_cast<int>(smaller(threads, ws.panels));
        return threads < 1 ? 1 : threads;
    }

    T *arenas_ = nullptr, *own_gradient_ = nullptr;
    long arena_stride_ = 0;
};

} // namespace chainrule::CHAINRULE_ISA
