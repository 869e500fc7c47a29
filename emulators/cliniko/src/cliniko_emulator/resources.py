"""The resources served."""

from cliniko_emulator import serialise
from cliniko_emulator.bookings import Booking
from cliniko_emulator.records import (
    Appointment,
    AppointmentType,
    Attendee,
    Business,
    GroupAppointment,
    Patient,
    Practitioner,
    Tombstone,
    UnavailableBlock,
)
from cliniko_emulator.resource import Resource, columns

PATIENTS = Resource(
    name="patients",
    record=Patient,
    columns=columns(
        date="date_of_birth",
        datetime="archived_at created_at updated_at",
        integer="id",
        string="email first_name last_name preferred_first_name old_reference_id",
        boolean="accepted_privacy_policy",
    ),
    hiding=("archived_at",),
    shape=serialise.PATIENT,
)
INDIVIDUAL_APPOINTMENTS = Resource(
    name="individual_appointments",
    record=Appointment,
    columns=columns(
        datetime="archived_at cancelled_at created_at deleted_at ends_at starts_at updated_at",
        integer="appointment_type_id business_id id patient_id practitioner_id repeated_from_id",
        boolean="did_not_arrive",
    ),
    hiding=("archived_at", "cancelled_at", "deleted_at"),
    shape=serialise.INDIVIDUAL_APPOINTMENT,
)
GROUP_APPOINTMENTS = Resource(
    name="group_appointments",
    record=GroupAppointment,
    columns=columns(
        datetime="archived_at created_at deleted_at ends_at starts_at updated_at",
        integer="appointment_type_id business_id id practitioner_id repeated_from_id",
        array="patient_ids",
    ),
    hiding=("archived_at", "deleted_at"),
    shape=serialise.GROUP_APPOINTMENT,
)
ATTENDEES = Resource(
    name="attendees",
    record=Attendee,
    columns=columns(
        datetime="archived_at cancelled_at created_at deleted_at updated_at",
        integer="appointment_id booking_id id patient_case_id patient_id",
    ),
    hiding=("archived_at", "cancelled_at", "deleted_at"),
    shape=serialise.ATTENDEE,
)
APPOINTMENT_TYPES = Resource(
    name="appointment_types",
    record=AppointmentType,
    columns=columns(
        datetime="archived_at created_at updated_at",
        integer="id",
        string="category online_payments_mode",
        boolean="show_in_online_bookings",
        array="appointment_confirmation_template_ids appointment_follow_up_template_ids "
        "appointment_reminder_template_ids",
    ),
    hiding=("archived_at",),
    shape=serialise.APPOINTMENT_TYPE,
)
PRACTITIONERS = Resource(
    name="practitioners",
    record=Practitioner,
    columns=columns(datetime="created_at updated_at", integer="id user_id", boolean="active show_in_online_bookings"),
    shape=serialise.PRACTITIONER,
)
BUSINESSES = Resource(
    name="businesses",
    record=Business,
    columns=columns(
        datetime="archived_at created_at deleted_at updated_at",
        integer="id",
        boolean="show_in_online_bookings",
        array="appointment_type_ids",
    ),
    hiding=("archived_at", "deleted_at"),
    shape=serialise.BUSINESS,
)
UNAVAILABLE_BLOCKS = Resource(
    name="unavailable_blocks",
    record=UnavailableBlock,
    columns=columns(
        datetime="archived_at created_at deleted_at ends_at starts_at updated_at",
        integer="business_id id practitioner_id repeated_from_id",
    ),
    hiding=("archived_at", "deleted_at"),
    shape=serialise.UNAVAILABLE_BLOCK,
)
RESOURCES = (
    PATIENTS,
    INDIVIDUAL_APPOINTMENTS,
    GROUP_APPOINTMENTS,
    ATTENDEES,
    APPOINTMENT_TYPES,
    PRACTITIONERS,
    BUSINESSES,
    UNAVAILABLE_BLOCKS,
)
# Read only: each row is one of another resource.
BOOKINGS = Resource(
    name="bookings",
    record=Booking,
    columns=columns(
        datetime="archived_at cancelled_at created_at deleted_at ends_at starts_at updated_at",
        integer="appointment_type_id business_id id invoice_status practitioner_id repeated_from_id "
        "treatment_note_status",
        boolean="did_not_arrive email_reminder_sent sms_reminder_sent",
        array="patient_ids",
    ),
    hiding=("archived_at", "cancelled_at", "deleted_at"),
    shape=serialise.BOOKING,
)
# An old list with a row for each erased patient: its id, and when.
ERASED_PATIENTS = Resource(
    name="patients",
    kept_in="erased_patients",
    record=Tombstone,
    columns=columns(datetime="deleted_at", integer="id"),
    shape=serialise.ERASED_PATIENT,
    default_sort="deleted_at",
)
