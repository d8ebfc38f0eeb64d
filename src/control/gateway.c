/* The gateway process once it is started: so far only what the supervisor expects of it. */
#include "base/log.h"
#include "control/start.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>

#define BEAT_MS 1000

/* Handles what the supervisor said; false: it is time to end. */
static bool obey(struct gateway_start *start)
{
    struct channel_report report;

    do {
        channel_receive(start->channel, &report);
        switch (report.event) {
        case CHANNEL_RELOAD: channel_reloaded(start->channel, true); break;
        case CHANNEL_REOPEN:
            if (log_reopen() != 0)
                log_warn("the error log cannot be opened again");
            break;
        case CHANNEL_DRAIN:
        case CHANNEL_STOP:
        case CHANNEL_CLOSED: return false;
        default: break;
        }
    } while (report.event != CHANNEL_NONE);
    return true;
}

int gateway_run(struct gateway_start *start)
{
    struct pollfd fd = {.fd = channel_fd(start->channel), .events = POLLIN};

    channel_ready(start->channel);
    while (poll(&fd, 1, BEAT_MS) >= 0 || errno == EINTR) {
        if (!obey(start))
            break;
        channel_beat(start->channel);
    }
    channel_stopping(start->channel);
    return 0;
}
