pub(crate) use crate::funds_bodies::run;
