/* What systemd hears. */
#include "supervisor/notify.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int receiver;
static char text[256];

/* Listens where $NOTIFY_SOCKET says: in the abstract name space, as systemd may. */
static void listen_as_systemd(void)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    char name[64];

    int length = snprintf(name, sizeof(name), "@tollgate-test-notify-%d", (int)getpid());
    memcpy(un.sun_path, name, (size_t)length);
    un.sun_path[0] = '\0';
    receiver = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)length);
    cr_assert_eq(bind(receiver, (struct sockaddr *)&un, size), 0);
    setenv("NOTIFY_SOCKET", name, 1);
}

static const char *heard(void)
{
    ssize_t length = recv(receiver, text, sizeof(text) - 1, 0);
    text[length > 0 ? length : 0] = '\0';
    return text;
}

TestSuite(notify, .init = listen_as_systemd);

Test(notify, each_state_is_one_datagram)
{
    notify_ready();
    cr_assert_eq(strncmp(heard(), "READY=1\n", 8), 0);
    notify_reloading();
    cr_assert_eq(strncmp(heard(), "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
    notify_stopping();
    cr_assert_eq(strncmp(heard(), "STOPPING=1\n", 11), 0);
    cr_assert_str_empty(heard());
}

Test(notify, without_the_variable_nobody_is_told)
{
    unsetenv("NOTIFY_SOCKET");
    notify_ready();
    setenv("NOTIFY_SOCKET", "relative", 1);
    notify_ready();
    cr_assert_str_empty(heard());
}
