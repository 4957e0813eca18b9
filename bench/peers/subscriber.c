/* The physical limit of one subscriber: libmosquitto receives at QoS 1 and writes nothing.
 *
 *   subscriber HOST PORT USER PASSWORD MESSAGES
 *
 * Prints "ready" once subscribed, and {"last": seconds since 1970} when that many messages have come.
 * Promises nothing: a message is acknowledged as soon as it is read.
 */
#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *const FILTER = "city/v1/+/+/telemetry";
static long received;

static void on_connect(struct mosquitto *client, void *unused, int code)
{
    (void)unused;
    if (code != 0 || mosquitto_subscribe(client, NULL, FILTER, 1) != MOSQ_ERR_SUCCESS) {
        fprintf(stderr, "the broker refuses us (%d)\n", code);
        exit(1);
    }
}

static void on_subscribe(struct mosquitto *client, void *unused, int id, int count, const int *granted)
{
    (void)client, (void)unused, (void)id, (void)count, (void)granted;
    puts("ready");
    fflush(stdout);
}

static void on_message(struct mosquitto *client, void *unused, const struct mosquitto_message *message)
{
    (void)client, (void)unused, (void)message;
    received++;
}

int main(int count, char **words)
{
    if (count != 6) {
        fprintf(stderr, "usage: subscriber HOST PORT USER PASSWORD MESSAGES\n");
        return 2;
    }
    const long wanted = atol(words[5]);
    mosquitto_lib_init();
    struct mosquitto *client = mosquitto_new("bench-c", true, NULL);
    mosquitto_username_pw_set(client, words[3], words[4]);
    mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_connect_callback_set(client, on_connect);
    mosquitto_subscribe_callback_set(client, on_subscribe);
    mosquitto_message_callback_set(client, on_message);
    if (mosquitto_connect(client, words[1], atoi(words[2]), 60) != MOSQ_ERR_SUCCESS) {
        fprintf(stderr, "no broker at %s:%s\n", words[1], words[2]);
        return 1;
    }
    while (received < wanted) {
        if (mosquitto_loop(client, 200, 1) != MOSQ_ERR_SUCCESS) {
            fprintf(stderr, "the broker hung up\n");
            return 1;
        }
    }
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    printf("{\"last\": %ld.%06ld}\n", (long)now.tv_sec, now.tv_nsec / 1000);
    fflush(stdout);
    while (mosquitto_loop(client, 200, 1) == MOSQ_ERR_SUCCESS) {
        /* acknowledge what is left, until we are stopped */
    }
    return 0;
}
