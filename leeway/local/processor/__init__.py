"""The engine `processor`: functions in a real Nuclio processor, where NUCLIO_PROCESSOR names one."""
