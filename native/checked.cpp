#include "checked.hpp"

#include <algorithm>
#include <stdexcept>

#include "dispatch.hpp"

namespace chainrule {

namespace {

// Sizes and offsets are long. On Windows, where long has 32 bits, the package has no compiled core.
static_assert(sizeof(long) == 8, "the compiled core needs a system whose long has 64 bits");
constexpr long most_parameters = 1l << 48;
constexpr long most_examples = 1l << 32; // of a call; times a rank, it is a long
constexpr std::int64_t most_updates = std::int64_t(1) << 62; // leaves room for further updates

constexpr const char *no_order = "order has no index, or one outside X";

[[noreturn]] void refuse(const std::string &what) {
    throw std::invalid_argument("chainrule._native: " + what);
}

void require(bool fits, const char *what) {
    if (!fits) refuse(what);
}

// The index of a name in a list.
template <typename E>
int place_of(const Entries<E> &entries, const std::string &name, const char *what) {
    const auto *found = std::find_if(entries.begin(), entries.end(),
                                     [&](const E &entry) { return name == entry.name; });
    if (found == entries.end()) refuse(std::string("no such ") + what + ": " + name);
    return int(found - entries.begin());
}

// The settings in the order of an entry's names; refused unless exactly these are given.
template <typename Value>
std::vector<Value> in_order(const Entry &entry, const std::map<std::string, Value> &settings) {
    std::vector<Value> values;
    for (int i = 0; i < most_settings && entry.settings[i]; ++i) {
        const auto found = settings.find(entry.settings[i]);
        if (found == settings.end())
            refuse(std::string(entry.name) + " has a setting " + entry.settings[i]);
        values.push_back(found->second);
    }
    if (values.size() != settings.size())
        refuse(std::string(entry.name) + " was given settings that it has not");
    return values;
}

template <typename E>
Choice chosen(const Entries<E> &entries, const Named &named, const char *what) {
    Choice choice;
    choice.kind = place_of(entries, named.name, what);
    const std::vector<double> values = in_order(entries[choice.kind], named.settings);
    std::copy(values.begin(), values.end(), choice.settings);
    return choice;
}

Choice activation_of(const Named &named) {
    return chosen(generic::tables.activations, named, "activation");
}

// A rank that has its own examples only has those of its share of each batch, and no others.
template <typename T>
void check_own(const Examples<T> &examples, const Ranks<T> &ranks, long batch_size) {
    const long all = ranks.examples;
    require(0 < all && all <= most_examples && batch_size <= most_examples,
            "a number of examples of all ranks");
    require(examples.epochs == 1 && !examples.weights,
            "own examples of one epoch, without weights");
    require(examples.count ==
                all / batch_size * ranks.share(batch_size) + ranks.share(all % batch_size),
            "order has the examples of this rank's shares");
}

} // namespace

bool all_below(const Array<const std::int32_t> &indices, long end) {
    bool inside = true;
    for (long i = 0; i < indices.count(); ++i)
        inside &= indices.data[i] >= 0 && indices.data[i] < end;
    return inside;
}

Plan::Plan(const std::vector<NamedLayer> &layers, const std::vector<NamedHead> &heads, bool fused) {
    long at = 0;
    layers_.reserve(layers.size());
    for (const NamedLayer &layer : layers)
        take(layer, at);
    require(!layers_.empty() && generic::tables.layers[layers_.back().kind].has_weights,
            "a network ends in a dense layer");
    long units = 0;
    for (const NamedHead &head : heads) {
        take(head);
        units += head.units;
    }
    require(units == n_out(), "heads divide the output layer");
    network_ = {int(layers_.size()), layers_.data(), int(heads_.size()), heads_.data(), fused, at};
}

// `at`: the number of parameters of the layers below.
void Plan::take(const NamedLayer &named, long &at) {
    Layer layer{};
    layer.kind = place_of(generic::tables.layers, named.kind, "kind of layer");
    layer.n_in = named.n_in;
    layer.n_out = named.n_out;
    require(layer.n_in > 0 && layer.n_out > 0, "layer sizes must be positive");
    require(layers_.empty() || layers_.back().n_out == layer.n_in, "layer sizes must chain");
    layer.activation = activation_of(named.activation);

    const LayerEntry &entry = generic::tables.layers[layer.kind];
    std::vector<Values> settings;
    for (std::vector<double> &values : in_order(entry, named.settings)) {
        require(entry.lists || values.size() == 1, "a setting is one number");
        numbers_.push_back(std::move(values));
        settings.push_back({numbers_.back().data(), int(numbers_.back().size())});
    }
    std::vector<Block> blocks;
    for (const NamedBlock &block : named.blocks) {
        // Sums of offsets below this limit cannot overflow, and no vector is longer.
        require(block.rows > 0 && block.columns > 0 &&
                    block.rows <= most_parameters / block.columns,
                "a block has rows and columns");
        require(block.offset == at, "blocks lie one after the other");
        blocks.push_back({at, block.rows, block.columns, block.group == "weights",
                          block.group != "statistics", block.rate, block.hidden});
        require(block.hidden >= 0 && (!block.hidden || block.rows % block.hidden == 0),
                "hidden matrices divide the rows of a block");
        require(!block.hidden || blocks.back().moves, "the optimizer updates hidden matrices");
        at += blocks.back().count();
        require(at <= most_parameters, "too many parameters");
        if (blocks.back().weights) weights_ += blocks.back().count();
    }
    blocks_.push_back(std::move(blocks));
    settings_.push_back(std::move(settings));
    layer.blocks = blocks_.back().data();
    layer.block_count = int(blocks_.back().size());
    layer.settings = settings_.back().data();
    if (const char *wrong = entry.check(layer, layers_.empty())) refuse(wrong);
    reads_codes_ |= entry.reads_codes;
    layers_.push_back(layer);
}

void Plan::take(const NamedHead &head) {
    require(head.units > 0, "a head has units");
    heads_.push_back({head.units, activation_of(head.activation),
                      chosen(generic::tables.costs, head.cost, "cost"), head.weight});
}

void Plan::check_parameters(long count) const {
    require(count == network_.parameters, "parameters do not fit the network");
}

void Plan::check_ranks(int rank, int size, long message) const {
    require(0 <= rank && rank < size, "a rank lies in [0, size)");
    require(message == network_.parameters + 1,
            "a message has the parameters' gradient and a cost");
}

template <typename T> void Plan::check_outputs(Array<const T> X, Array<T> out) const {
    require(X.rows > 0 && X.columns == n_in(), "X does not fit the network");
    require(readable(X.data, X.rows), "X has a code outside its table");
    require(out.rows == X.rows && out.columns == n_out(), "out does not fit");
}

template <typename T> bool Plan::readable(const T *X, long m, const std::int32_t *order) const {
    return !reads_codes_ || kernels<T>().readable(network_, X, m, order);
}

template <typename T>
Examples<T> Plan::examples(Array<const T> X, std::optional<Array<const T>> Y,
                           std::optional<Array<const std::int32_t>> classes,
                           std::optional<Array<const T>> weights,
                           std::optional<Array<const std::int32_t>> order) const {
    const long m = X.rows;
    require(m > 0 && X.columns == n_in(), "X does not fit the network");
    require(Y ? Y->rows == m && Y->columns == n_out() : classes && classes->rows == m,
            "Y does not fit the network");
    require(!classes || all_below(*classes, n_out()), "Y has no such class");
    require(!weights || weights->rows == m, "one weight an example");
    if (order) {
        require(m <= 0x7fffffff && all_below(*order, m), no_order);
    }
    require(order ? readable(X.data, order->count(), order->data) : readable(X.data, m),
            "X has a code outside its table");
    return {X.data,
            Y ? Y->data : nullptr,
            classes ? classes->data : nullptr,
            weights ? weights->data : nullptr,
            order ? order->data : nullptr,
            order ? order->columns : m,
            m,
            order ? order->rows : 1};
}

template <typename T>
Training<T> Plan::training(const TrainingArrays<T> &arrays, const Examples<T> &examples,
                           const Named &optimizer, std::int64_t t, long batch_size,
                           const Objective &objective, std::uint64_t key, const LossRule *rule,
                           const Ranks<T> *ranks) const {
    check_parameters(arrays.parameters.rows);
    const Choice choice = chosen(generic::tables.optimizers, optimizer, "optimizer");
    const OptimizerEntry &entry = generic::tables.optimizers[choice.kind];
    // Behind the optimizer's own vectors lies an average of the parameters, if it has none itself.
    const bool averaged = arrays.shares && !entry.averages;
    const long slots = entry.slots + averaged;
    require(arrays.slots.rows == slots &&
                (slots == 0 || arrays.slots.columns == network_.parameters),
            "optimizer state does not fit");
    require(arrays.shares || !entry.averages, "an average needs the shares of its steps");
    require(batch_size > 0, "batch_size must be positive");
    require(t >= 0 && t <= most_updates, "a number of updates made before");
    if (ranks && ranks->examples) check_own(examples, *ranks, batch_size);
    const long count = ranks && ranks->examples ? ranks->examples : examples.count;
    const long steps = examples.epochs * (count / batch_size + (count % batch_size != 0));
    require(steps > 0, no_order);
    require(arrays.learning_rates.rows == steps && arrays.costs.rows == steps &&
                arrays.gradient_norms.rows == steps &&
                (!arrays.penalties || arrays.penalties->rows == steps) &&
                (!arrays.shares || arrays.shares->rows == steps),
            "one learning rate, one share and one record a step");
    return {batch_size,
            {choice, arrays.slots.data, t, arrays.learning_rates.data,
             arrays.shares ? arrays.shares->data : nullptr,
             averaged ? arrays.slots.data + entry.slots * network_.parameters : nullptr,
             orthogonaliser<T>()},
            objective,
            {arrays.costs.data, arrays.gradient_norms.data,
             arrays.penalties ? arrays.penalties->data : nullptr},
            key,
            rule,
            ranks};
}

Choice element_wise(const Named &activation) {
    const Choice choice = activation_of(activation);
    require(generic::tables.activations[choice.kind].element_wise,
            "no such element-wise activation");
    return choice;
}

#define CHAINRULE_OF(T)                                                                            \
    template Examples<T> Plan::examples(                                                           \
        Array<const T>, std::optional<Array<const T>>, std::optional<Array<const std::int32_t>>,   \
        std::optional<Array<const T>>, std::optional<Array<const std::int32_t>>) const;            \
    template Training<T> Plan::training(const TrainingArrays<T> &, const Examples<T> &,            \
                                        const Named &, std::int64_t, long, const Objective &,      \
                                        std::uint64_t, const LossRule *, const Ranks<T> *) const;  \
    template void Plan::check_outputs(Array<const T>, Array<T>) const;                             \
    template bool Plan::readable(const T *, long, const std::int32_t *) const;
CHAINRULE_OF(float)
CHAINRULE_OF(double)

} // namespace chainrule
