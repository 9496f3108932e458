#include "moment.h"

#include <stdio.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)

/* Days since 1970-01-01 of a date of the Gregorian calendar, whose year is taken to begin in March. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t of_march = month > 2 ? year : year - 1;
    int64_t era = (of_march >= 0 ? of_march : of_march - 399) / 400;
    int64_t year_of_era = of_march - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

/* Reads the fraction of a second, which may be missing; returns what stands behind it. */
static const char *fraction_of(const char *text, int64_t *milliseconds)
{
    int64_t unit = 100;

    *milliseconds = 0;
    if (*text != '.')
        return text;
    for (text++; *text >= '0' && *text <= '9'; text++, unit /= 10)
        *milliseconds += (*text - '0') * unit;
    return text;
}

/* Reads Z or an offset, in minutes. */
static bool offset_of(const char *text, int64_t *minutes)
{
    int hours, rest, read = 0;

    *minutes = 0;
    if (strcmp(text, "Z") == 0)
        return true;
    if ((*text != '+' && *text != '-') || sscanf(text + 1, "%2d:%2d%n", &hours, &rest, &read) != 2)
        return false;
    *minutes = (*text == '-' ? -1 : 1) * (hours * 60 + rest);
    return text[1 + read] == '\0';
}

bool read_moment(vector_case *c, const char *text, int64_t *moment)
{
    int year, month, day, hour, minute, second, read = 0;
    int64_t milliseconds, offset;
    int parts = sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute, &second, &read);

    if (parts != 6 || !offset_of(fraction_of(text + read, &milliseconds), &offset)) {
        trouble(c, "%s is no moment this runner can read", text);
        return false;
    }
    *moment = days_of(year, month, day) * DAY_MS + ((hour * 60 + minute - offset) * 60 + second) * 1000
        + milliseconds;
    return true;
}

/* The date of a day since 1970-01-01. */
static void date_of(int64_t days, int *year, int *month, int *day)
{
    *year = 1970 + (int)(days / 366);
    while (days_of(*year + 1, 1, 1) <= days)
        (*year)++;
    *month = 1;
    while (*month < 12 && days_of(*year, *month + 1, 1) <= days)
        (*month)++;
    *day = (int)(days - days_of(*year, *month, 1)) + 1;
}

json_t *moment_text(int64_t moment)
{
    int64_t days = moment / DAY_MS, in_day = moment % DAY_MS;
    int year, month, day, milliseconds = (int)(in_day % 1000), seconds = (int)(in_day / 1000);
    char text[64], fraction[8] = "";

    if (moment < 0)
        return json_null();
    date_of(days, &year, &month, &day);
    if (milliseconds)
        snprintf(fraction, sizeof fraction, ".%03d", milliseconds);
    while (fraction[0] && fraction[strlen(fraction) - 1] == '0')
        fraction[strlen(fraction) - 1] = '\0';
    snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d%sZ", year, month, day, seconds / 3600,
             seconds / 60 % 60, seconds % 60, fraction);
    return json_string(text);
}

void tell_moment(vector_case *c, const char *fact, int64_t moment)
{
    if (moment < 0)
        trouble(c, "the fact %s is before 1970", fact);
    tell(c, fact, moment_text(moment));
}
