// The Android library: the same Kotlin as the JVM's, with the native libraries that build-aar puts into src/main/jniLibs. NOT TESTED.
plugins {
    id("com.android.library") version "8.13.0"
    kotlin("android") version "2.4.21"
}

android {
    namespace = "io.github.cbpii"
    compileSdk = 36
    defaultConfig {
        minSdk = 24
        consumerProguardFiles("consumer-rules.pro")
    }
    sourceSets["main"].kotlin.srcDirs("../kotlin/src/main/kotlin", "../generated/kotlin")
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
        // java.time, for the options' builders, below Android 8.
        isCoreLibraryDesugaringEnabled = true
    }
}

dependencies {
    api("org.jetbrains.kotlinx:kotlinx-coroutines-android:1.11.0")
    implementation("net.java.dev.jna:jna:5.19.1@aar")
    coreLibraryDesugaring("com.android.tools:desugar_jdk_libs:2.1.5")
}
