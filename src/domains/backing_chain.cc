#include "domains/backing_chain.h"

#include "devices/image_header.h"
#include "util/error.h"
#include "util/files.h"
#include "util/log.h"

#include <set>

#include <pugixml.hpp>

#include <fmt/core.h>

namespace zraid {

namespace {

constexpr std::size_t kDeepest = 64;
/// Of all disks together.
constexpr std::size_t kMostLayers = 1024;

/// The path of a volume of one of libvirt's pools, by the pool's definition; empty if it is none of
/// files. The name is one entry of the pool's folder.
std::string path_of_volume(const Paths& paths, const std::string& pool, const std::string& volume)
{
    if (pool.find('/') != std::string::npos || volume.find('/') != std::string::npos)
        return {};
    // Pools that run, and those that are defined.
    for (const auto& folder :
         {paths.host_run / "libvirt/storage", paths.host_etc / "libvirt/storage"}) {
        const auto text = read_if_there(folder / (pool + ".xml"));
        pugi::xml_document document;
        if (!text || !document.load_buffer(text->data(), text->size()))
            continue;
        pugi::xml_node definition = document.child("pool");
        if (!definition)
            definition = document.child("poolstate").child("pool");
        const std::string target = definition.child("target").child("path").text().as_string();
        if (target.starts_with('/'))
            return fmt::format("{}/{}", target, volume);
    }
    return {};
}

void follow(std::vector<DiskSource>& found, const std::string& path, const std::string& format)
{
    std::set<std::string> seen{path};
    std::vector<LayerBelow> layers{{path, format}};
    for (std::size_t depth = 0; depth < kDeepest && !layers.empty(); ++depth) {
        std::vector<LayerBelow> next;
        for (const LayerBelow& layer : layers) {
            for (LayerBelow& below : layers_below(layer.path, layer.format)) {
                if (found.size() >= kMostLayers || !seen.insert(below.path).second)
                    continue;
                found.push_back({below.path, "", ""});
                next.push_back(std::move(below));
            }
        }
        layers = std::move(next);
    }
}

} // namespace

std::vector<DiskSource> with_backing_chains(const Paths& paths,
                                            const std::vector<DiskSource>& sources)
{
    std::vector<DiskSource> found = sources;
    for (const DiskSource& source : sources) {
        if (source.format.empty())
            continue;
        try {
            const std::string path = source.pool.empty()
                                         ? source.path
                                         : path_of_volume(paths, source.pool, source.volume);
            if (path.starts_with('/'))
                follow(found, path, source.format);
        } catch (const std::exception& e) { // libvirt will say what is the matter with it
            log().warn("what '{}' stands on is not known: {}", source.path, explain(e));
        }
    }
    return found;
}

} // namespace zraid
