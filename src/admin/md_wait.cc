#include "admin/md_wait.h"

#include "devices/md.h"
#include "util/fd.h"
#include "util/files.h"

#include <algorithm>

#include <fcntl.h>
#include <poll.h>

namespace zraid {

void await_sync_change(const Paths& paths, int md_number, Milliseconds limit)
{
    const std::string file = paths.block(md_kernel_name(md_number)) / "md/sync_action";
    const UniqueFd fd = open_if_there(file, O_RDONLY);
    if (!fd)
        return;
    read_all(fd.get(), file, 4096); // polling starts from what was read
    pollfd entry{fd.get(), POLLPRI, 0};
    ::poll(&entry, 1, static_cast<int>(std::min(limit, kGlance).count()));
}

} // namespace zraid
