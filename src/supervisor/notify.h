/* Tells systemd how the service is (sd_notify(3)), without its library: one datagram a message. */
#ifndef TG_SUPERVISOR_NOTIFY_H
#define TG_SUPERVISOR_NOTIFY_H

/* Each does nothing when $NOTIFY_SOCKET is not set; what fails is ignored. */
void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);

#endif
